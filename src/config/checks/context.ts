import type { SettingName, Settings, Values } from '../definition.js';
import type { Path, Problem } from '../problems.js';
import type { Surroundings } from '../paths.js';

/** Where a setting was said. */
export type Origin = 'flag' | 'variable' | 'file';

/** Where each setting was said, and what follows from that. */
export interface Origins {
  /** Undefined: nowhere, or the caller doesn't tell. */
  originOf(name: SettingName): Origin | undefined;
  /** What its paths are relative to. */
  surroundingsOf(name: SettingName): Surroundings;
}

/** What checks look at, and where they report to. */
export interface Context {
  readonly origins: Origins;
  /** With defaults. What is wrong by itself is left out. */
  readonly values: Values;
  /** As they were given, whether right or wrong. */
  readonly given: Settings;
  problem(path: Path, message: string, options?: Pick<Problem, 'atKey'>): void;
}

/** Whether something was given and can't be used. Then nothing follows from what is missing there. */
export function isBroken({ values, given }: Context, name: SettingName): boolean {
  return given[name] !== undefined && values[name] === undefined;
}

/** The keys of a map in the settings as it was given, also of those whose values are wrong. */
export function givenNames({ given }: Context, name: 'stores' | 'principals'): string[] {
  const map: unknown = given[name];
  return typeof map === 'object' && map !== null ? Object.keys(map) : [];
}
