import { parseMoment } from '../config/settings/principals.js';
import { accessLevels } from '../core/access.js';
import { isStoreName } from '../core/store-name.js';

/* The values of the options of `token create`. */

const dayMs = 86_400_000;

/** Levels by name of the store, of options like `teams/blue=append`. */
export function parseAccess(written: readonly string[]): {
  readonly levels: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
} {
  const levels = new Map<string, string>();
  const problems: string[] = [];
  for (const each of written) {
    const at = each.lastIndexOf('=');
    const store = at === -1 ? '' : each.slice(0, at);
    const level = each.slice(at + 1);
    if (!accessLevels.some((known) => known === level)) {
      problems.push(`--access ${JSON.stringify(each)}: the level must be one of ${accessLevels.join(', ')}`);
    } else if (store !== '*' && !isStoreName(store)) {
      problems.push(`--access ${JSON.stringify(each)}: must be STORE=LEVEL; give it again for another store`);
    } else if (levels.has(store)) problems.push(`--access: ${each} is about a store that another one is about`);
    else levels.set(store, level);
  }
  return { levels: Object.fromEntries(levels), problems };
}

/** When a token expires, in the form of the configuration file. `text` is a duration from now, or a date. */
export function parseExpiry(text: string, nowMs: number): { readonly written?: string; readonly problem?: string } {
  const [, number, unit] = /^(\d{1,5})(h|d)$/.exec(text) ?? [];
  const from = unit === 'h' ? dayMs / 24 : dayMs;
  const at = number === undefined ? parseMoment(text) : nowMs + Number(number) * from;
  if (at === undefined) {
    return {
      problem: `--expires ${JSON.stringify(text)}: must be a number of days or hours, as in 90d or 12h, or a date`,
    };
  }
  if (at <= nowMs) return { problem: `--expires ${text}: that is in the past` };
  return { written: number === undefined ? text : new Date(at).toISOString().replace(/\.\d+/, '') };
}
