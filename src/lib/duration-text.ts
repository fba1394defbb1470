const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A duration in its largest unit of which there are two, rounded down: `26 h`, `3 d`, `90 s`. */
export function durationText(ms: number): string {
  const [unit, size] = units.find(([, each]) => ms >= 2 * each) ?? units[3];
  return `${Math.floor(ms / size)} ${unit}`;
}
