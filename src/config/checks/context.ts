import type { SettingName, Settings, Values } from '../definition.js';
import type { Path, Problem } from '../problems.js';
import type { Surroundings } from '../../lib/paths.js';
import { suggestion } from '../suggestion.js';

/** Where a setting was given. */
export type Origin = 'flag' | 'variable' | 'file';

/** Where the settings were given, and what follows from that. */
export interface Origins {
  /** Undefined: nowhere, or unknown. */
  originOf(name: SettingName): Origin | undefined;
  /** What its paths are relative to. */
  surroundingsOf(name: SettingName): Surroundings;
}

/** The input of the checks, and where they report problems. */
export interface Context {
  readonly origins: Origins;
  /** The settings as they were given, valid or not. */
  readonly given: Settings;
  /** Their values, with defaults also in the place of invalid ones. */
  readonly values: Values;
  /** Whether a setting was given and is invalid as a whole. Nothing follows from its value then. */
  isInvalid(name: SettingName): boolean;
  problem(path: Path, message: string, options?: Pick<Problem, 'atKey'>): void;
}

/** The keys of a map as it was given, including those with invalid values. */
export function givenNames({ given }: Context, name: 'stores' | 'principals'): string[] {
  const map: unknown = given[name];
  return typeof map === 'object' && map !== null ? Object.keys(map) : [];
}

/** What to say of a name that doesn't exist: the name that was probably meant, or all names. */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const names = known.map((each) => (each === '' ? '""' : each)).join(', ');
  return `unknown ${what}${suggestion(name, known) || `: only ${names} exist${known.length === 1 ? 's' : ''}`}`;
}
