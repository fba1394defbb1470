import { oldNames, type OldName, type SettingName, type Settings } from './definition.js';
import type { Path, Problem } from './problems.js';

/** The current name of a setting. A name that isn't an old one is returned as it is. */
export function currentName(name: SettingName | OldName): SettingName;
export function currentName(name: string): string;
export function currentName(name: string): string {
  return isOldName(name) ? oldNames[name] : name;
}

function isOldName(name: string): name is OldName {
  return Object.hasOwn(oldNames, name);
}

/** Settings by their current names. Problems have the names as they were written. */
export interface Renamed {
  readonly settings: Settings;
  /** Old names of settings whose current names are there as well. */
  readonly problems: readonly Problem[];
  /** A path as it was written. */
  writtenPath(path: Path): Path;
}

/** Gives settings their current names. */
export function renamed(written: Settings): Renamed {
  const isWritten = (name: string): boolean => written[name as keyof Settings] !== undefined;
  const old = Object.keys(oldNames).filter(isWritten);
  const names = new Map(old.filter((name) => !isWritten(currentName(name))).map((name) => [currentName(name), name]));
  const entries = Object.entries(written).filter(([name]) => !old.includes(name) || names.has(currentName(name)));
  return {
    settings: Object.fromEntries(entries.map(([name, value]) => [currentName(name), value as unknown])),
    problems: old
      .filter((name) => !names.has(currentName(name)))
      .map((name) => ({
        path: [name],
        message: `is the old name of ${currentName(name)}, which is set as well: remove it`,
        atKey: true,
      })),
    writtenPath: ([first, ...rest]) => (first === undefined ? [] : [names.get(String(first)) ?? first, ...rest]),
  };
}
