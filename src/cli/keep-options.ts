import { z } from 'zod';
import { count, formatSize, size } from '../config/values.js';
import type { Option } from './options.js';

/* The options of the commands that keep stores whole, with the types of their values. */

/** An option whose value is checked when it is parsed. */
export interface TypedOption<T> extends Option {
  readonly type: z.ZodType<T>;
}

/** How many transfers run at the same time. */
export const jobsOption: TypedOption<number> = {
  name: 'jobs',
  value: 'N',
  help: 'how many objects are read at the same time, from 1 to 64 (default 4)',
  type: count(1, 64),
};

export const defaultJobs = 4;

const minRate = 1024;
const maxRate = 1024 ** 4;

/** Limits all transfers together. */
export const rateOption: TypedOption<number> = {
  name: 'rate',
  value: 'SIZE',
  help: `how many bytes per second at most, all transfers together, as in 20MiB (default no limit, at least ${formatSize(minRate)})`,
  type: size(minRate, maxRate),
};

/** A part of the objects. */
export const sampleOption: TypedOption<number> = {
  name: 'sample',
  value: 'PERCENT',
  help: 'check only so many of the objects, chosen at random, as in 5%',
  type: percentage(),
};

/** Begins the destination of a copy. */
export const createOption: Option = {
  name: 'create',
  help: "make the destination, in an empty folder or bucket, with the source's CONFIG, if it isn't there yet",
};

/** Makes a copy prove itself. */
export const readBackOption: Option = {
  name: 'verify',
  help: 'read back what was copied and compare it',
};

/** The moment that a copy is made of. */
export const copyAsOfOption: Option = {
  name: 'as-of',
  value: 'MOMENT',
  help: 'copy the source as it was at a moment, including what was deleted since then and is still in its trash',
};

/** Copies nothing. */
export const dryRunOption: Option = { name: 'dry-run', help: 'only show what would be copied' };

/** The other copy, to compare with. */
export const againstOption: Option = {
  name: 'against',
  value: 'LOCATION',
  help: 'another copy of the store, which objects are compared with',
};

/** Records digests of what is there. */
export const recordOption: Option = {
  name: 'record',
  help: 'record the digests of objects that have none yet, as they are now',
};

/** Goes on where an earlier run ended. */
export const resumeOption: Option = {
  name: 'resume',
  value: 'FILE',
  help: 'keep in FILE how far this has come, and go on from there if it was interrupted',
};

/** The other copy, to take good objects from. */
export const fromOption: Option = {
  name: 'from',
  value: 'LOCATION',
  help: 'the other copy of the store, which damaged objects are replaced from',
};

/** Takes the other copy's word for it. */
export const unprovenOption: Option = {
  name: 'unproven',
  help: 'with --mac: replace also where nothing tells which copy is right, once plakar shows that only the other one can be read',
};

/** Where damaged objects go. */
export const toFolderOption: Option = {
  name: 'to-folder',
  value: 'FOLDER',
  help: "move damaged objects to a folder of this machine, instead of the store's trash",
};

/** Chooses locks. */
export const lockMacOption: Option = {
  name: 'mac',
  value: 'MAC',
  repeatable: true,
  help: 'a lock, by its MAC or the first 12 digits of it or more; can be repeated',
};

/** Chooses locks by their age. */
export const staleOption: Option = {
  name: 'stale',
  help: 'all locks that have not been refreshed for 10 minutes: their clients are gone',
};

/** A share of something, as in `5%`: above 0 and up to 1. */
function percentage(): z.ZodType<number> {
  const message = 'must be a percentage above 0%, and up to 100%, as in 5% or 0.5%';
  return z
    .string()
    .regex(/^\d{1,3}(\.\d{1,3})?%$/, message)
    .transform((written) => Number(written.slice(0, -1)) / 100)
    .refine((share) => share > 0 && share <= 1, message);
}
