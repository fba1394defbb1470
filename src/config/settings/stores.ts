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
    .describe('access of anonymous callers (default: none if there is a way to log in, else read-only)'),
  optional: flag()
    .prefault(false)
    .describe("start even if it can't be opened, and try again; its requests get 503 meanwhile"),
  quota: size(1)
    .optional()
    .describe(
      'the most space for its packfiles and states together, as in 2TiB; if several gateways serve the store, each counts by itself',
    ),
  'quota-includes-trash': flag().prefault(true).describe('whether the trash counts for the quota (default: true)'),
  retention: duration(0, maxKeptMs)
    .optional()
    .describe("packfiles and states younger than this can't be deleted, as in 30d (default: none)"),
  trash: duration(0, maxKeptMs)
    .optional()
    .describe(
      'how long deleted packfiles and states stay in the trash, for the operator only, as in 14d (default: they are gone at once)',
    ),
  'as-of': moment()
    .optional()
    .describe('serve it as it was at a moment, read-only: 2026-11-01T00:00Z, 2026-11-01, or 3d for three days ago'),
  digests: choice(digestAlgorithms)
    .optional()
    .describe(
      'record digests of packfiles and states when they are put, so that verify and repair can prove what is damaged: sha256',
    ),
  s3: s3OfStore
    .optional()
    .describe(
      'if it is in S3: its own values of the s3-… settings, written without s3-, as in {region: eu-central-1}; they take precedence',
    ),
  mirror: mirror
    .optional()
    .describe('a second copy, which the gateway keeps up to date, as in {to: sftp://backup@elsewhere/srv/blue}'),
  verify: verification
    .optional()
    .describe('read and check every object regularly, as in {every: 30d}, and report damage'),
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
    'let anonymous callers add packfiles and states to the default store, and put and delete locks; nothing is overwritten',
  ),
  allowDelete: setting(
    'allow-delete',
    flag().prefault(false),
    'let anonymous callers also delete packfiles and states (implies --allow-write)',
  ),
  noAuth: setting(
    'no-auth',
    flag().prefault(false),
    'allow anonymous callers to write on addresses that other machines can reach',
  ),
  quotaBytes: setting(
    'quota',
    size(1).optional(),
    'the most space for packfiles and states of the default store together, as in 2TiB; if several gateways serve it, each counts by itself',
  ),
  quotaIncludesTrash: setting(
    'quota-includes-trash',
    flagOnByDefault("don't count the default store's trash for its quota").prefault(true),
    "whether the default store's trash counts for its quota",
  ),
  retentionMs: setting(
    'retention',
    duration(0, maxKeptMs).optional(),
    "packfiles and states of the default store younger than this can't be deleted, as in 30d",
  ),
  trashMs: setting(
    'trash',
    duration(0, maxKeptMs).optional(),
    'how long deleted packfiles and states of the default store stay in its trash, for the operator only, as in 14d',
  ),
  asOfMs: setting(
    'as-of',
    moment().optional(),
    'serve the default store as it was at a moment, read-only: 2026-11-01T00:00Z, 2026-11-01, or 3d for three days ago',
  ),
  digests: setting(
    'digests',
    choice(digestAlgorithms).optional(),
    'record digests of packfiles and states put into the default store, so that verify and repair can prove what is damaged: sha256',
  ),
  stores: setting(
    'stores',
    named(store).optional(),
    'several stores, by name, as in {teams/blue: {location: /srv/blue}}; the empty name is the default store',
  ),
  durability: setting(
    'durability',
    choice(['fsync', 'none']).prefault('fsync'),
    'fsync: flush uploads to the disk before acknowledging them; none: leave that to the operating system',
  ),
  sample: setting('sample', flag().prefault(false), 'serve a copy of the sample store that comes with the program'),
};
