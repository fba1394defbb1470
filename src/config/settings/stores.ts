import { locationForms } from '../../backends/backends.js';
import { accessLevels } from '../../core/access.js';
import { setting } from '../setting.js';
import { durabilities } from '../types.js';
import { choice, fields, flag, named, size, text } from '../values.js';

/** A store in `stores`. */
const store = fields({
  location: text().describe(`where the store is: ${locationForms}`),
  anonymous: choice(accessLevels)
    .optional()
    .describe("what callers may do who don't log in (default: none where anybody can log in, else read-only)"),
  quota: size(1).optional().describe('how many bytes its packfiles and states may have together, as in 2TiB'),
});

/** What is served, and how it is kept. */
export const stores = {
  location: setting({
    schema: text(),
    value: 'LOCATION',
    defaultText: '~/.plakar, where there are no `stores`',
    description: `where the default store is: ${locationForms}`,
  }),
  'allow-write': setting({
    schema: flag(),
    description:
      'let callers add packfiles and states to the default store, and put and delete locks, without logging in; ' +
      'nothing is ever overwritten',
  }),
  'allow-delete': setting({
    schema: flag(),
    description: 'let them delete packfiles and states, too (implies --allow-write)',
  }),
  'no-auth': setting({
    schema: flag(),
    description: 'allow the two above on addresses that others can reach, though nobody has to log in',
  }),
  quota: setting({
    schema: size(1),
    value: 'SIZE',
    description: "how many bytes the default store's packfiles and states may have together, as in 2TiB",
  }),
  stores: setting({
    schema: named(store),
    value: 'YAML',
    form: 'yaml',
    description:
      'several stores, by name, as in {teams/blue: {location: /srv/blue}}; the empty name is the default store; ' +
      'best in a file',
  }),
  durability: setting({
    schema: choice(durabilities),
    value: durabilities.join('|'),
    default: 'fsync',
    description: 'sync what is put to disk before it is acknowledged, or leave that to the system',
  }),
  sample: setting({
    schema: flag(),
    description: 'serve a copy of the sample store that comes with the program, for a first try',
  }),
} as const;
