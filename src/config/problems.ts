import type { z } from 'zod';

/** The path of a value in the settings: names of settings, keys, and indexes of lists. */
export type Path = readonly (string | number)[];

/** A problem with the settings. */
export interface Problem {
  readonly path: Path;
  /** What is wrong, and what to do; lower case, without secrets. */
  readonly message: string;
  /** Whether the problem is the key rather than its value. */
  readonly atKey?: boolean;
}

/** The problems behind zod's issues. `value` is what zod has parsed. */
export function explain(issues: readonly z.core.$ZodIssue[], value: unknown, above: Path = []): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const own = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    const path = [...above, ...own];
    const found = valueAt(value, own);
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split('\n');
      return issue.keys.map((key, i) => ({ path: [...path, key], message: messages[i] ?? issue.message, atKey: true }));
    }
    if (issue.code === 'invalid_union' && found !== undefined) {
      // If the value has the type of one alternative, the issues of that one say more.
      const meant = issue.errors.filter(
        (each) => !each.some(({ code, path: at }) => isOfType(code) && at.length === 0),
      );
      const [only] = meant;
      if (only !== undefined && meant.length === 1) return explain(only, found, path);
    }
    const last = path.at(-1);
    if (found === undefined && last !== undefined) {
      return [{ path: path.slice(0, -1), message: `${String(last)} is missing`, atKey: true }];
    }
    return [{ path, message: issue.message }];
  });
}

/**
 * Settings without their invalid parts, so that the rest can be checked. A list with an invalid part is removed as a whole, since
 * the indexes of its items must not change.
 */
export function without(settings: object, problems: readonly Problem[]): object {
  const rest = structuredClone(settings);
  for (const { path } of problems) {
    const inList = path.findIndex((key) => typeof key === 'number');
    const whole = inList === -1 ? path : path.slice(0, inList);
    const holder = valueAt(rest, whole.slice(0, -1));
    const key = whole.at(-1);
    if (typeof holder === 'object' && holder !== null && key !== undefined) Reflect.deleteProperty(holder, key);
  }
  return rest;
}

/** Whether a path is that of a part of the value at `above`. */
export function isBelow(path: Path, above: Path): boolean {
  return path.length > above.length && above.every((key, i) => key === path[i]);
}

/** A path as text: `stores.teams/blue.quota`, `listen[0].mode`. */
export function formatPath(path: Path): string {
  return path
    .map((key, i) => {
      if (typeof key === 'number') return `[${key}]`;
      return (i === 0 ? '' : '.') + (/^[\w/@*:+-]+$/.test(key) || i === 0 ? key : JSON.stringify(key));
    })
    .join('');
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (holder, key) =>
      typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key)
        ? (holder as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}

function isOfType(code: z.core.$ZodIssue['code']): boolean {
  return code === 'invalid_type' || code === 'invalid_union';
}
