import { locationForms } from '../../backends/backends.js';
import { accessLevels } from '../../core/access.js';
import { setting } from '../setting.js';
import { choice, fields, flag, named, size, text } from '../values.js';

const store = fields({
  location: text().describe(`where the store is: ${locationForms}`),
  anonymous: choice(accessLevels)
    .optional()
    .describe('what anonymous callers may do (default: none if there is a way to log in, else read-only)'),
  optional: flag()
    .prefault(false)
    .describe("start without it while it can't be opened, and try again; requests are answered 503 meanwhile"),
  quota: size(1).optional().describe('how much its packfiles and states may take up together, as in 2TiB'),
});

/** What is served, and how it is kept. */
export const stores = {
  location: setting(
    'location',
    text('LOCATION').optional(),
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
    'how much the packfiles and states of the default store may take up together, as in 2TiB',
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
