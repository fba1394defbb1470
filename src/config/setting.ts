import type { z } from 'zod';

/** One setting, as everything that is about settings is made from it: validation, options, help, variables, schema, docs. */
export interface Setting<T extends z.ZodType = z.ZodType> {
  /** Its form in the file. Text is always taken as well, since options and variables are text. */
  readonly schema: T;
  /** A sentence or a few, as the help has it: it starts in lower case and has no full stop at its end. */
  readonly description: string;
  /** What stands for the value in the help; none: a switch, true or false. */
  readonly value?: string;
  /** How text becomes a value that isn't a single one: an option that may be repeated, or YAML. */
  readonly form?: 'list' | 'yaml';
  /** What holds where nothing is said, as the file would say it. */
  readonly default?: z.input<T>;
  /** That, where it is no fixed value, in words. */
  readonly defaultText?: string;
}

/** Only makes the compiler check that a default is one that the schema takes. */
export function setting<T extends z.ZodType>(definition: Setting<T>): Setting<T> {
  return definition;
}

/** A setting's default as people read it; undefined where there is none. */
export function defaultText({ default: value, defaultText: text }: Setting): string | undefined {
  if (text !== undefined || value === undefined) return text;
  return Array.isArray(value) ? value.join(', ') : String(value);
}
