import { z } from 'zod';
import { suggestion } from './suggestion.js';

/* The forms of values. Each takes text, too, and says the same thing of whatever is wrong. */

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'KB', 'MB', 'GB', 'TB'] as const;
const sizePattern = /^(\d{1,15}(?:\.\d{1,3})?) ?(B|[KMGT]i?B)?$/;

const seconds = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const;
const durationPattern = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h|d)?$/;

/** Node's timers hold no more than 2³¹−1 ms. */
const maxDurationMs = 24 * 86_400_000;

/** A number of bytes, from `min` to `max`: `65536`, `512KiB`, `2TiB`, `10GB`. Plain numbers count `unit` bytes. */
export function size(min = 0, max = Number.MAX_SAFE_INTEGER, unit = 1) {
  const message = `it has to be a number of ${unit === 1 ? 'bytes' : 'MiB'}, or a size with a unit, as in 512KiB, 4GiB or 2TiB`;
  const range = `it has to be from ${formatSize(min)} to ${formatSize(max)}`;
  return z
    .union([z.int(message).min(0, message), z.string(message).regex(sizePattern, message)], message)
    .transform((value) => (typeof value === 'number' ? value * unit : parseSize(value, unit)))
    .refine((bytes) => bytes >= min && bytes <= max, range);
}

/** A duration in milliseconds, from `minMs` to 24 days: `30s`, `250ms`, `5m`, `1h`; plain numbers are seconds. */
export function duration(minMs: number) {
  const message = 'it has to be a number of seconds, or a duration with a unit, as in 250ms, 30s, 5m or 1h';
  return z
    .union([z.number(message).min(0, message), z.string(message).regex(durationPattern, message)], message)
    .transform((value) => (typeof value === 'number' ? value * 1000 : parseDuration(value)))
    .refine((ms) => ms >= minMs && ms <= maxDurationMs, `it has to be from ${minMs}ms to 24d`);
}

/** A whole number from `min` to `max`. */
export function count(min: number, max: number) {
  const message = `it has to be a whole number from ${min} to ${max}`;
  return z
    .union([z.int(message), z.string(message).regex(/^\d{1,15}$/, message)], message)
    .transform(Number)
    .refine((number) => number >= min && number <= max, message);
}

/** True or false. */
export function flag() {
  return z.boolean('it has to be true or false');
}

/** One of a few words. */
export function choice<const T extends readonly string[]>(words: T) {
  return z.enum(words, `it has to be one of ${words.join(', ')}`);
}

/** Text that isn't empty. YAML takes what looks like a number for one. */
export function text() {
  return z
    .string('it has to be text: put it in quotes if it looks like a number')
    .min(1, 'it is empty')
    .refine((value) => !value.includes('\0'), 'it has a NUL in it');
}

/** One or several texts. */
export function texts() {
  return z
    .union([text(), z.array(text())], 'it has to be text, or a list of texts')
    .transform((value) => (typeof value === 'string' ? [value] : value));
}

/** A map with these keys and no others. Messages for unknown keys are lines, in the order of the keys. */
export function fields<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `there is no such setting${suggestion(key, Object.keys(shape))}`).join('\n')
        : 'it has to be a map: keys with their values',
  });
}

/** A map with any names for keys. */
export function named<T extends z.ZodType>(value: T) {
  return z.record(z.string(), value, 'it has to be a map: names with their values');
}

/** A size as people write it, in the largest unit that fits. */
export function formatSize(bytes: number): string {
  const exponent = [4, 3, 2, 1].find((each) => bytes >= 1024 ** each && bytes % 1024 ** each === 0);
  return exponent === undefined ? String(bytes) : `${bytes / 1024 ** exponent}${units[exponent]}`;
}

function parseSize(written: string, plain: number): number {
  const [, number, unit] = sizePattern.exec(written) ?? [];
  const base = unit?.includes('i') ? 1024 : 1000;
  const factor = unit === undefined ? plain : base ** 'BKMGT'.indexOf(unit.charAt(0));
  return Math.floor(Number(number) * factor);
}

function parseDuration(written: string): number {
  const [, number, unit = 's'] = durationPattern.exec(written) ?? [];
  return Math.round(Number(number) * seconds[unit as keyof typeof seconds] * 1000);
}
