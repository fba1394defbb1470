const minuteMs = 60_000;
const unitsMs = { d: 86_400_000, h: 3_600_000, m: minuteMs } as const;

const agoPattern = /^(\d{1,6})([dhm])$/;
const datePattern = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d))?$/i;

/** How moments are written, for errors and help. */
export const momentForm =
  'a time with its zone, as in 2026-11-01T00:00Z, a day (UTC), as in 2026-11-01, or a time ago, as in 3d, 12h or 90m';

/**
 * A moment as operators and clients write it, in milliseconds since 1970-01-01 UTC; undefined if it is none. It may be in the future.
 *
 * - `2026-11-01T00:00Z`, `2026-11-01T00:00:30.5+01:00`: ISO 8601 with a zone.
 * - `2026-11-01`: the beginning of that day, UTC.
 * - `3d`, `12h`, `90m`: so long before `nowMs`, at the beginning of that minute.
 */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const [, amount, unit] = agoPattern.exec(text) ?? [];
  if (amount !== undefined) {
    const ms = nowMs - Number(amount) * unitsMs[unit as keyof typeof unitsMs];
    return Math.floor(ms / minuteMs) * minuteMs;
  }
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    datePattern.exec(text) ?? [];
  if (year === undefined) return undefined;
  const fields = [year, month, day, hour, minute, second].map(Number);
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0] = fields;
  const local = new Date(0);
  local.setUTCFullYear(y, mo - 1, d);
  local.setUTCHours(h, mi, s, Math.floor(Number(`0.${fraction}0`) * 1000));
  const read = [
    local.getUTCFullYear(),
    local.getUTCMonth() + 1,
    local.getUTCDate(),
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
  ];
  // 30 February would become 2 March.
  if (read.some((each, i) => each !== fields[i])) return undefined;
  const offset = offsetMinutes(zone);
  return offset === undefined ? undefined : local.getTime() - offset * minuteMs;
}

/** The text that `parseMoment` reads as this moment, in UTC: `2026-11-01T00:00Z`, with seconds and fractions where it has some. */
export function formatMoment(ms: number): string {
  return new Date(ms).toISOString().replace(/(?::00)?\.000Z$/, 'Z');
}

/** How far a zone's time is ahead of UTC; undefined for what is no zone. */
function offsetMinutes(zone: string): number | undefined {
  if (/^z$/i.test(zone)) return 0;
  const [hours = NaN, minutes = NaN] = zone.slice(1).split(':').map(Number);
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
