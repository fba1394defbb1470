import type { Access } from '../../core/access.js';
import { allows } from '../../core/access.js';
import { parseLocation } from '../../backends/backends.js';
import { isStoreName } from '../../core/store-name.js';
import type { Path } from '../problems.js';
import type { StoreConfig } from '../types.js';
import { givenNames, isBroken, type Context } from './context.js';

const nameRule =
  "a store's name has letters, digits, '.', '_' and '-', in parts with '/' between them that don't start with a dot " +
  'and are no part of an API, as `config` and `states` are';

/** The settings that are about the default store. */
const ofDefaultStore = ['location', 'sample', 'quota', 'allow-write', 'allow-delete'] as const;

/** The stores: those in `stores`, and the default one of the settings that are about it. */
export function checkStores(context: Context): Map<string, StoreConfig> {
  const { values, given } = context;
  const stores = new Map<string, StoreConfig>();
  const anonymous = defaultAnonymous(context);
  for (const [name, store] of Object.entries(values.stores ?? {})) {
    const path = ['stores', name];
    if (!isStoreName(name)) context.problem(path, nameRule, { atKey: true });
    stores.set(name, {
      location: checkLocation(context, [...path, 'location'], store.location),
      anonymous: name === '' ? raised(context, store.anonymous ?? anonymous) : (store.anonymous ?? anonymous),
      quotaBytes: store.quota,
    });
  }
  if (givenNames(context, 'stores').includes('')) checkNotTwice(context);
  else if (given.stores === undefined || given.location !== undefined || values.sample === true) {
    stores.set('', defaultStore(context, raised(context, anonymous)));
  } else checkNeeded(context, stores);
  return stores;
}

/** What callers may do who don't log in, where nothing else is said: nothing, where anybody can log in. */
function defaultAnonymous(context: Context): Access {
  return givenNames(context, 'principals').length > 0 || context.given.htpasswd !== undefined ? 'none' : 'read-only';
}

function raised({ values }: Context, access: Access): Access {
  const allowed = values['allow-delete'] === true ? 'full' : values['allow-write'] === true ? 'append' : 'none';
  return allows(access, allowed) ? access : allowed;
}

function defaultStore(context: Context, anonymous: Access): StoreConfig {
  const { values, given } = context;
  if (values.sample === true && given.location !== undefined) {
    context.problem(['sample'], 'it serves its own store: leave the location out');
  }
  const location = values.sample === true ? ('sample' as const) : checkLocation(context, ['location'], values.location);
  return { location, anonymous, quotaBytes: values.quota };
}

/** Two ways to say what the default store is would leave open which one counts. */
function checkNotTwice(context: Context): void {
  for (const name of ofDefaultStore) {
    const { [name]: value } = context.given;
    if (value === undefined || value === false) continue;
    // A switch on the command line lets more be done for once, whatever the file says.
    const raises = name === 'allow-write' || name === 'allow-delete';
    if (raises && context.origins.originOf(name) !== 'file') continue;
    context.problem(
      [name],
      `there is a store "" in stores, which is the default store, too: say it there${raises ? ', as anonymous' : ''}`,
    );
  }
}

function checkNeeded(context: Context, stores: ReadonlyMap<string, StoreConfig>): void {
  for (const name of ofDefaultStore) {
    const { [name]: value } = context.given;
    if (value === undefined || value === false) continue;
    context.problem(
      [name],
      'it is about the default store, and there is none: give a location, or a store "" in stores',
    );
  }
  if (stores.size === 0 && givenNames(context, 'stores').length === 0 && !isBroken(context, 'stores')) {
    context.problem(['stores'], 'there is no store: name one, with its location');
  }
}

function checkLocation(context: Context, path: Path, text: string | undefined): StoreConfig['location'] {
  const parsed = parseLocation(text, context.origins.surroundingsOf(path[0] === 'stores' ? 'stores' : 'location'));
  if (!('problem' in parsed)) return parsed;
  context.problem(path, parsed.problem);
  return 'sample';
}
