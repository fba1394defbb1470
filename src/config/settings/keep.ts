import type { z } from 'zod';
import { locationForms } from '../../backends/backends.js';
import { duration, fields, flag, path, size, text } from '../values.js';
import { s3OfStore } from './s3.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** How long rounds can be apart, in milliseconds: a mirror that is looked at more rarely is none. */
const maxRoundMs = 7 * dayMs;

/** How long passes can be apart, in milliseconds. */
const maxPassMs = 3650 * dayMs;

/** A second copy of a store, which the gateway keeps up to date. */
export const mirror = fields({
  to: text().optional().describe(`where the second copy is that the gateway writes: ${locationForms}`),
  from: text()
    .optional()
    .describe('instead of to: where the first copy is; this store is the second one, and is written from there'),
  every: duration(1000, maxRoundMs)
    .prefault('1h')
    .describe('how often the two are compared by their lists, besides after each backup (default 1h)'),
  lag: duration(1000, maxPassMs)
    .prefault('2h')
    .describe('mirror-behind is told if the second copy has not been complete for longer than this (default 2h)'),
  rate: size(1024).optional().describe('at most so many bytes per second are copied, as in 20MiB (default: no limit)'),
  'read-fallback': flag()
    .prefault(false)
    .describe(
      'answer reads of packfiles and states that are missing, cut off or unreadable here from the other copy, and tell of it: also of those that ' +
        'were deleted on purpose, as deletes are not mirrored',
    ),
  'token-file': path()
    .optional()
    .describe('where the other copy is at a gateway: a file whose first line is the token to log in with there'),
  s3: s3OfStore
    .optional()
    .describe(
      'where the other copy is in S3: its own values of the settings that start with s3-, which take precedence',
    ),
});

/** Passes over a store that read every object and check it. */
export const verification = fields({
  every: duration(1000, maxPassMs).prefault('30d').describe('how often every object is read and checked (default 30d)'),
  rate: size(1024).prefault('20MiB').describe('at most so many bytes per second are read (default 20MiB)'),
  'against-mirror': flag()
    .prefault(true)
    .describe('whether objects are compared with those of the mirror, which are read as well then (default true)'),
});

export type WrittenMirror = z.output<typeof mirror>;
export type WrittenVerification = z.output<typeof verification>;
