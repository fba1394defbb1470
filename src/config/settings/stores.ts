import { locationForms } from '../../backends/backends.js';
import { accessLevels } from '../../core/access.js';
import { digestAlgorithms } from '../../core/digests.js';
import { setting } from '../setting.js';
import { choice, duration, fields, flag, flagOnByDefault, moment, named, size, text } from '../values.js';
import { mirror, verification } from './keep.js';
import { s3OfStore } from './s3.js';

/** Ten years, in milliseconds. */
const maxKeptMs = 3650 * 86_400_000;

const store = fields({
  location: text().describe(`where the store is: ${locationForms}`),
  anonymous: choice(accessLevels)
    .optional()
    .describe('what anonymous callers may do (default: none if there is a way to log in, else read-only)'),
  optional: flag()
    .prefault(false)
    .describe("start without it while it can't be opened, and try again; requests are answered 503 meanwhile"),
  quota: size(1)
    .optional()
    .describe(
      'how much its packfiles and states may take up together, as in 2TiB; several gateways on one store each count by themselves',
    ),
  'quota-includes-trash': flag().prefault(true).describe('whether what is in the trash counts for the quota'),
  retention: duration(0, maxKeptMs)
    .optional()
    .describe("packfiles and states that are younger than this can't be deleted, as in 30d (default: no such rule)"),
  trash: duration(0, maxKeptMs)
    .optional()
    .describe(
      'for how long deleted packfiles and states are kept where only the operator can get at them, as in 14d (default: they are gone at once)',
    ),
  'as-of': moment()
    .optional()
    .describe('serve it, read-only, as it was at a moment: 2026-11-01T00:00Z, 2026-11-01, or 3d ago'),
  digests: choice(digestAlgorithms)
    .optional()
    .describe(
      'record the digests of what is put, with which verify and repair prove that it is still the same: sha256',
    ),
  s3: s3OfStore
    .optional()
    .describe('for a store in S3: its own values of the settings that start with s3-, which take precedence'),
  mirror: mirror
    .optional()
    .describe('a second copy, which the gateway keeps up to date, as in {to: sftp://backup@elsewhere/srv/blue}'),
  verify: verification
    .optional()
    .describe('read and check every object from time to time, as in {every: 30d}, and tell of damage'),
});

/** What is served, and how it is kept. */
export const stores = {
  location: setting(
    'location',
    text('LOCATION', { mayBeSecret: true }).optional(),
    `where the default store is: ${locationForms}`,
    '$PLAKAR_REPOSITORY or ~/.plakar, if there are no `stores`',
  ),
  allowWrite: setting(
    'allow-write',
    flag().prefault(false),
    'let anonymous callers add packfiles and states to the default store, and put and delete locks; ' +
      'nothing is ever overwritten',
  ),
  allowDelete: setting(
    'allow-delete',
    flag().prefault(false),
    'also let them delete packfiles and states (implies --allow-write)',
  ),
  noAuth: setting(
    'no-auth',
    flag().prefault(false),
    'allow anonymous callers to write on addresses that other machines can reach',
  ),
  quotaBytes: setting(
    'quota',
    size(1).optional(),
    'how much the packfiles and states of the default store may take up together, as in 2TiB; several gateways on one store each count by themselves',
  ),
  quotaIncludesTrash: setting(
    'quota-includes-trash',
    flagOnByDefault("don't count what is in the trash of the default store for its quota").prefault(true),
    'whether what is in the trash of the default store counts for its quota',
  ),
  retentionMs: setting(
    'retention',
    duration(0, maxKeptMs).optional(),
    "packfiles and states of the default store that are younger than this can't be deleted, as in 30d",
  ),
  trashMs: setting(
    'trash',
    duration(0, maxKeptMs).optional(),
    'for how long packfiles and states that are deleted from the default store are kept in its trash, where only the operator can get at ' +
      'them, as in 14d',
  ),
  asOfMs: setting(
    'as-of',
    moment().optional(),
    'serve the default store, read-only, as it was at a moment: 2026-11-01T00:00Z, 2026-11-01, or 3d ago',
  ),
  digests: setting(
    'digests',
    choice(digestAlgorithms).optional(),
    'record the digests of what is put into the default store, with which verify and repair prove that it is still the same: sha256',
  ),
  stores: setting(
    'stores',
    named(store).optional(),
    'several stores, by name, as in {teams/blue: {location: /srv/blue}}; the empty name is the default store',
  ),
  durability: setting(
    'durability',
    choice(['fsync', 'none']).prefault('fsync'),
    'fsync: sync what is put to disk before acknowledging it; none: leave that to the operating system',
  ),
  sample: setting(
    'sample',
    flag().prefault(false),
    'serve a copy of the sample store that ships with the program, for a first try',
  ),
};
