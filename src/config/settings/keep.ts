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
  to: text().optional().describe(`push: the location of the second copy, which the gateway writes: ${locationForms}`),
  from: text()
    .optional()
    .describe('pull, instead of to: the location of the first copy; this store is the second copy'),
  every: duration(1000, maxRoundMs)
    .prefault('1h')
    .describe(
      'how often the lists of objects in both copies are compared, in addition to after each backup (default: 1h)',
    ),
  lag: duration(1000, maxPassMs)
    .prefault('2h')
    .describe(
      'the event mirror-behind is sent if the second copy has been incomplete for longer than this (default: 2h)',
    ),
  rate: size(1024).optional().describe('the most bytes per second that are copied, as in 20MiB (default: no limit)'),
  'read-fallback': flag()
    .prefault(false)
    .describe(
      'if a packfile or state is missing, cut off or unreadable here, read it from the other copy, and send the event read-from-mirror; this ' +
        'also applies to deleted ones, since deletes are not mirrored',
    ),
  'token-file': path()
    .optional()
    .describe('if the other copy is at a gateway: a file whose first line is the token for it'),
  s3: s3OfStore
    .optional()
    .describe(
      'if the other copy is in S3: its own values of the s3-… settings, written without s3-, as in {region: eu-central-1}; they take precedence',
    ),
});

/** Passes over a store that read every object and check it. */
export const verification = fields({
  every: duration(1000, maxPassMs)
    .prefault('30d')
    .describe('how often every object is read and checked (default: 30d)'),
  rate: size(1024).prefault('20MiB').describe('the most bytes per second that are read (default: 20MiB)'),
  'against-mirror': flag()
    .prefault(true)
    .describe('whether objects are compared with the mirror, which is then read, too (default: true)'),
});

export type WrittenMirror = z.output<typeof mirror>;
export type WrittenVerification = z.output<typeof verification>;
