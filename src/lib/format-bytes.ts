const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A number of bytes with three digits, for people: `1.25 GiB`. */
export function formatBytes(count: number): string {
  let value = count;
  let unit = 0;
  // What would be rounded to 1000 or more has four digits up to 1023.
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
