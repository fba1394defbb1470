import { z } from 'zod';
import { count, formatSize, size } from '../config/values.js';
import { accessLevels } from '../core/access.js';
import { listOption, switchOption, textOption, type Option, type TypedOption } from './option.js';

/* The options of commands that aren't settings. */

export const config = textOption('config', 'FILE', 'the configuration file (YAML)');

export const store = textOption(
  'store',
  'NAME',
  'a store of the configuration file, instead of LOCATION (default: its default store, or its only one)',
);

export const json = switchOption('json', 'print one JSON document, for programs');

export const apply = switchOption('apply', 'do it; without this, only show what would be done');

/* Tokens */

export const expires = textOption(
  'expires',
  '90d|DATE',
  'when the token expires, as in 90d, 12h or 2027-01-31 (default never)',
);

export const access: Option = {
  ...listOption(
    'access',
    'STORE=LEVEL',
    `grants the principal access to a store, as in teams/blue=append; can be repeated. LEVEL is one of ` +
      `${accessLevels.join(', ')}; LEVEL alone is about the default store, *=LEVEL about all that aren't listed`,
  ),
  words: accessLevels,
};

/* Moments */

export const asOf = textOption('as-of', 'MOMENT', 'the moment to take the store back to');

export const copyAsOf = textOption(
  'as-of',
  'MOMENT',
  'copy the source as it was at a moment, including what was deleted since then and is still in its trash',
);

export const since = textOption('since', 'MOMENT', 'only what arrived or went since then');

export const deletedSince = textOption('since', 'MOMENT', 'what was deleted since then');

export const deletedUntil = textOption('until', 'MOMENT', 'with --since: only what was deleted until then');

export const before = textOption('before', 'MOMENT', 'what was deleted before then');

/* Objects and locks */

export const mac = listOption(
  'mac',
  'MAC',
  'an object, by its MAC or the first 12 digits of it or more; can be repeated',
);

export const lockMac = listOption(
  'mac',
  'MAC',
  'a lock, by its MAC or the first 12 digits of it or more; can be repeated',
);

export const all = switchOption('all', 'everything in the trash');

export const stale = switchOption(
  'stale',
  'all locks that have not been refreshed for 10 minutes: their clients are gone',
);

export const despiteLocks = switchOption(
  'despite-locks',
  'also if a backup seems to be running, which may damage that backup',
);

/* Transfers */

export const defaultJobs = 4;

export const jobs: TypedOption<number> = {
  ...textOption('jobs', 'N', `how many objects are read at the same time, from 1 to 64 (default ${defaultJobs})`),
  type: count(1, 64),
};

const minRate = 1024;
const maxRate = 1024 ** 4;

export const rate: TypedOption<number> = {
  ...textOption(
    'rate',
    'SIZE',
    `the most bytes per second, all transfers together, as in 20MiB (default no limit, at least ${formatSize(minRate)})`,
  ),
  type: size(minRate, maxRate),
};

/* Copies */

export const create = switchOption(
  'create',
  "make the destination with the source's CONFIG, in an empty folder or bucket",
);

export const readBack = switchOption('verify', 'read back what was copied and compare it');

export const dryRun = switchOption('dry-run', 'only show what would be copied');

/* Verification and repair */

export const against = textOption('against', 'LOCATION', 'another copy of the store, which objects are compared with');

export const sample: TypedOption<number> = {
  ...textOption('sample', 'PERCENT', 'check a random part of the objects, as in 5%'),
  type: percentage(),
};

export const record = switchOption('record', 'record digests of objects that have none');

export const acceptMissing = switchOption(
  'accept-missing',
  'read nothing, and record that the objects which are missing were deleted on purpose',
);

export const resume = textOption(
  'resume',
  'FILE',
  'save the progress in FILE, and continue from there after an interruption',
);

export const from = textOption(
  'from',
  'LOCATION',
  'the other copy of the store, which damaged objects are replaced from',
);

export const unproven = switchOption(
  'unproven',
  'with --mac: replace an object even if nothing proves which copy is right (see docs/keep.md)',
);

export const toFolder = textOption(
  'to-folder',
  'FOLDER',
  "move damaged objects to a folder on this machine instead of the store's trash",
);

/** A share of something, as in `5%`: above 0 and up to 1. */
function percentage(): z.ZodType<number> {
  const message = 'must be a percentage above 0%, and up to 100%, as in 5% or 0.5%';
  return z
    .string()
    .regex(/^\d{1,3}(\.\d{1,3})?%$/, message)
    .transform((written) => Number(written.slice(0, -1)) / 100)
    .refine((share) => share > 0 && share <= 1, message);
}
