import { z } from 'zod';
import { suggestion } from './suggestion.js';

/* The types of values. Each accepts text, since options and variables are text, and has one message for everything it doesn't accept. */

/** How values of a type are written in options and variables. Maps can't be written there, and have no such form. */
export interface TextForm {
  /** Placeholder of the value in the help; none: a switch. */
  readonly placeholder?: string;
  /** Whether the option can be repeated, and the variable has commas. */
  readonly isList?: boolean;
  /** Whether it is a path (or the keyword after the `|` of the placeholder), which is then made absolute. */
  readonly isPath?: boolean;
}

/** The forms of the types that are made here. */
export const textForms = z.registry<TextForm>();

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'KB', 'MB', 'GB', 'TB'] as const;
const sizePattern = /^(\d{1,15}(?:\.\d{1,3})?) ?(B|[KMGT]i?B)?$/;

const seconds = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const;
const durationPattern = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h|d)?$/;

/** Node's timers are limited to 2³¹−1 ms. */
const maxDurationMs = 24 * 86_400_000;

/** A number of bytes, from `min` to `max`: `65536`, `512KiB`, `2TiB`, `10GB`. Plain numbers count `unit` bytes. */
export function size(min = 0, max = Number.MAX_SAFE_INTEGER, unit = 1) {
  const message = `must be a number of ${unit === 1 ? 'bytes' : 'MiB'}, or a size with a unit, as in 512KiB, 4GiB or 2TiB`;
  const range = `must be from ${formatSize(min)} to ${formatSize(max)}`;
  return z
    .union([z.int(message).min(0, message), z.string(message).regex(sizePattern, message)], message)
    .transform((value) => (typeof value === 'number' ? value * unit : parseSize(value, unit)))
    .refine((bytes) => bytes >= min && bytes <= max, range)
    .register(textForms, { placeholder: unit === 1 ? 'SIZE' : 'MIB' });
}

/** A duration in milliseconds, from `minMs` to 24 days: `30s`, `250ms`, `5m`, `1h`; plain numbers are seconds. */
export function duration(minMs: number) {
  const message = 'must be a number of seconds, or a duration with a unit, as in 250ms, 30s, 5m or 1h';
  return z
    .union([z.number(message).min(0, message), z.string(message).regex(durationPattern, message)], message)
    .transform((value) => (typeof value === 'number' ? value * 1000 : parseDuration(value)))
    .refine((ms) => ms >= minMs && ms <= maxDurationMs, `must be from ${minMs}ms to 24d`)
    .register(textForms, { placeholder: 'TIME' });
}

/** A whole number from `min` to `max`. */
export function count(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .union([z.int(message), z.string(message).regex(/^\d{1,15}$/, message)], message)
    .transform(Number)
    .refine((number) => number >= min && number <= max, message)
    .register(textForms, { placeholder: 'N' });
}

/** True or false. */
export function flag() {
  return z.boolean('must be true or false').register(textForms, {});
}

/** One of a few words. */
export function choice<const T extends readonly string[]>(words: T) {
  return z.enum(words, `must be one of ${words.join(', ')}`).register(textForms, { placeholder: words.join('|') });
}

/** Text that isn't empty. YAML reads text that looks like a number as one. */
export function text(placeholder = 'TEXT') {
  return nonEmpty().register(textForms, { placeholder });
}

/** A path, or a keyword instead of one. */
export function path(keyword?: string) {
  const placeholder = keyword === undefined ? 'FILE' : `FILE|${keyword}`;
  return nonEmpty().register(textForms, { placeholder, isPath: true });
}

/** One path or several, as a list. */
export function paths() {
  return z
    .union([nonEmpty(), z.array(nonEmpty())], 'must be text, or a list of texts')
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .register(textForms, { placeholder: 'FILE', isList: true, isPath: true });
}

function nonEmpty() {
  return z
    .string('must be text: put it in quotes if it looks like a number')
    .min(1, "can't be empty")
    .refine((value) => !value.includes('\0'), "can't contain NUL");
}

/** A map with these keys and no others. The message for several unknown keys has a line for each, in their order. */
export function fields<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `unknown setting${suggestion(key, Object.keys(shape))}`).join('\n')
        : 'must be a map: keys with their values',
  });
}

/** A map with arbitrary names as keys. */
export function named<T extends z.ZodType>(value: T) {
  return z.record(z.string(), value, 'must be a map: names with their values');
}

/** A size in the largest unit that divides it. */
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
