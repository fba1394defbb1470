import { parseLocation } from '../../backends/backends.js';
import { higher, type Access } from '../../core/access.js';
import { isStoreName } from '../../core/store-name.js';
import type { Path } from '../problems.js';
import type { StoreConfig } from '../types.js';
import { givenNames, type Context } from './context.js';

const nameRule =
  "a store's name has letters, digits, '.', '_' and '-', in parts separated by '/' that don't start with a dot " +
  'and are not part of an API, as `config` and `states` are';

/** The settings of the default store. */
const ofDefaultStore = ['location', 'sample', 'quota', 'allow-write', 'allow-delete'] as const;

/** Checks the stores: those in `stores`, and the default store of the other settings. */
export function checkStores(context: Context): Map<string, StoreConfig> {
  const { values, given } = context;
  const stores = new Map<string, StoreConfig>();
  const anonymous = defaultAnonymous(context);
  for (const [name, store] of Object.entries(values.stores.stores ?? {})) {
    const path = ['stores', name];
    if (!isStoreName(name)) context.problem(path, nameRule, { atKey: true });
    stores.set(name, {
      location: checkLocation(context, [...path, 'location'], store.location),
      anonymous: name === '' ? raised(context, store.anonymous ?? anonymous) : (store.anonymous ?? anonymous),
      quotaBytes: store.quota,
      optional: store.optional,
    });
  }
  if (givenNames(context, 'stores').includes('')) checkNotTwice(context);
  else if (given.stores === undefined || given.location !== undefined || values.stores.sample) {
    stores.set('', defaultStore(context, raised(context, anonymous)));
  } else checkNeeded(context, stores);
  return stores;
}

/** The access of anonymous callers where nothing else is configured: none, if there is a way to log in. */
function defaultAnonymous(context: Context): Access {
  return givenNames(context, 'principals').length > 0 || context.given.htpasswd !== undefined ? 'none' : 'read-only';
}

function raised({ values: { stores } }: Context, access: Access): Access {
  const allowed = stores.allowDelete ? 'full' : stores.allowWrite ? 'append' : 'none';
  return higher(access, allowed);
}

function defaultStore(context: Context, anonymous: Access): StoreConfig {
  const { sample, location, quotaBytes } = context.values.stores;
  if (sample && context.given.location !== undefined) {
    context.problem(['sample'], 'the sample store has a location of its own: remove location');
  }
  const where = sample ? 'sample' : checkLocation(context, ['location'], location);
  return { location: where, anonymous, quotaBytes, optional: false };
}

/** The default store can't be configured twice: it would be unclear which one counts. */
function checkNotTwice(context: Context): void {
  for (const name of givenOfDefaultStore(context)) {
    // On the command line, these two raise the access for once, whatever the file says.
    const raises = name === 'allow-write' || name === 'allow-delete';
    if (raises && context.origins.originOf(name) !== 'file') continue;
    const message = `stores has the default store already, as "": set it there${raises ? ', as anonymous' : ''}`;
    context.problem([name], message);
  }
}

function checkNeeded(context: Context, stores: ReadonlyMap<string, StoreConfig>): void {
  for (const name of givenOfDefaultStore(context)) {
    const message = 'applies to the default store, and there is none: set location, or add a store "" to stores';
    context.problem([name], message);
  }
  if (stores.size === 0 && givenNames(context, 'stores').length === 0 && !context.isInvalid('stores')) {
    context.problem(['stores'], 'there is no store: add one, with its location');
  }
}

function givenOfDefaultStore({ given }: Context) {
  return ofDefaultStore.filter((name) => given[name] !== undefined && given[name] !== false);
}

function checkLocation(context: Context, path: Path, text: string | undefined): StoreConfig['location'] {
  const parsed = parseLocation(text, context.origins.surroundingsOf(path[0] === 'stores' ? 'stores' : 'location'));
  if (!('problem' in parsed)) return parsed;
  context.problem(path, parsed.problem);
  return 'sample';
}
