import type { z } from 'zod';

/** An option of the command line. */
export interface Option {
  readonly name: string;
  /** Placeholder of the value in the help; none: a switch. Shell completion is derived from it, see completion/candidates.ts. */
  readonly value?: string | undefined;
  readonly repeatable?: boolean | undefined;
  /** The setting that this switch turns off; none: it turns on the one with its own name. */
  readonly turnsOff?: string | undefined;
  /** The words that a value can be, where the placeholder doesn't list them. */
  readonly words?: readonly string[];
  /** Whether it is only accepted, and neither shown nor completed. */
  readonly isHidden?: boolean;
  /** A phrase that says what it is for. */
  readonly help: string;
}

/** An option whose value is checked when it is parsed. */
export interface TypedOption<T> extends Option {
  readonly type: z.ZodType<T>;
}

/** The setting that an option sets, also one that turns it off. */
export function settingOf({ name, turnsOff }: Option): string {
  return turnsOff ?? name;
}

/** An option without a value. */
export function switchOption(name: string, help: string): Option {
  return { name, help };
}

/** An option with a value, which is kept as text. */
export function textOption(name: string, value: string, help: string): Option {
  return { name, value, help };
}

/** An option that can be given several times. */
export function listOption(name: string, value: string, help: string): Option {
  return { name, value, repeatable: true, help };
}
