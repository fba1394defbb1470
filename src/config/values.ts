import { z } from 'zod';
import { momentForm, parseMoment } from '../core/moment.js';
import { formatDuration } from '../lib/format-duration.js';
import { suggestion } from './suggestion.js';

/* The types of values. Each accepts text, since options and variables are text, and has one message for everything it doesn't accept. */

/** How values of a type are written in options and variables. Maps can't be written there, and have no such form. */
export interface TextForm {
  /** Placeholder of the value in the help; none: a switch. */
  readonly placeholder?: string;
  /** Whether the option can be repeated, and the variable has commas. */
  readonly isList?: boolean;
  /** What the option does that turns a switch off: there is `--no-NAME`, instead of `--NAME`, where it is on by default. */
  readonly off?: string;
  /** Whether it is a path (or the keyword after the `|` of the placeholder), which is then made absolute. */
  readonly isPath?: boolean;
  /** Whether a value that isn't valid may contain a secret: it isn't repeated then. */
  readonly mayBeSecret?: boolean;
}

/** The forms of the types that are made here. */
export const textForms = z.registry<TextForm>();

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'KB', 'MB', 'GB', 'TB'] as const;
const sizePattern = /^(\d{1,15}(?:\.\d{1,3})?) ?(B|[KMGT]i?B)?$/;

const seconds = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const;
const durationPattern = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h|d)?$/;

/** Node's timers are limited to 2³¹−1 ms. */
const maxTimerMs = 24 * 86_400_000;

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

/** A duration in milliseconds, from `minMs` to `maxMs`: `30s`, `250ms`, `5m`, `1h`; plain numbers are seconds. */
export function duration(minMs: number, maxMs = maxTimerMs) {
  const message = 'must be a number of seconds, or a duration with a unit, as in 250ms, 30s, 5m or 1h';
  return z
    .union([z.number(message).min(0, message), z.string(message).regex(durationPattern, message)], message)
    .transform((value) => (typeof value === 'number' ? value * 1000 : parseDuration(value)))
    .refine((ms) => ms >= minMs && ms <= maxMs, `must be from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`)
    .register(textForms, { placeholder: 'TIME' });
}

/** A moment that is not in the future, in milliseconds since 1970-01-01 UTC: `2026-11-01T00:00Z`, `2026-11-01`, `3d` ago. */
export function moment() {
  const message = `must be ${momentForm}`;
  return z
    .string(message)
    .transform((written, { addIssue }) => {
      const nowMs = Date.now();
      const ms = parseMoment(written, nowMs);
      if (ms === undefined || ms > nowMs) addIssue(ms === undefined ? message : 'must not be in the future');
      return ms ?? 0;
    })
    .register(textForms, { placeholder: 'MOMENT' });
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

/** True or false, for what is true by default. `off` is a phrase that says what the option does: it can only turn this off. */
export function flagOnByDefault(off: string) {
  return z.boolean('must be true or false').register(textForms, { off });
}

/** True or false, also as text, for what neither is the default of. */
export function trueOrFalse() {
  const message = 'must be true or false';
  return z
    .union([z.boolean(message), z.enum(['true', 'false'], message)], message)
    .transform((value) => value === true || value === 'true')
    .register(textForms, { placeholder: 'true|false' });
}

/** One of a few words. */
export function choice<const T extends readonly string[]>(words: T) {
  return z.enum(words, `must be one of ${words.join(', ')}`).register(textForms, { placeholder: words.join('|') });
}

/** Text that isn't empty. YAML reads text that looks like a number as one. */
export function text(placeholder = 'TEXT', form: Pick<TextForm, 'mayBeSecret'> = {}) {
  return nonEmpty().register(textForms, { placeholder, ...form });
}

/** A URL of the web, of which nothing is repeated: services take what knows it for its owner. */
export function webAddress() {
  const message = 'must be a URL that starts with https:// or http://';
  return z
    .string(message)
    .refine((written) => /^https?:\/\//i.test(written) && URL.canParse(written), message)
    .refine((written) => !hasLogin(written), "can't contain a user or a password");
}

/** A path, or a keyword instead of one. */
export function path(keyword?: string) {
  const placeholder = keyword === undefined ? 'FILE' : `FILE|${keyword}`;
  return nonEmpty().register(textForms, { placeholder, isPath: true });
}

/** The path of a folder. */
export function folder() {
  return nonEmpty().register(textForms, { placeholder: 'FOLDER', isPath: true });
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

function hasLogin(written: string): boolean {
  const { username, password } = URL.canParse(written) ? new URL(written) : {};
  return Boolean(username) || Boolean(password);
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
