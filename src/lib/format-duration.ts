const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;

/** A duration in the largest unit that divides it, as settings have it: `30d`, `90m`, `250ms`. */
export function formatDuration(ms: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((each) => ms > 0 && ms % units[each] === 0);
  return unit === undefined ? `${ms}ms` : `${ms / units[unit]}${unit}`;
}
