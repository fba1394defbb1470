import { parseLocation } from '../../backends/backends.js';
import { higher, type Access } from '../../core/access.js';
import { isStoreName } from '../../core/store-name.js';
import type { Path } from '../problems.js';
import type { StoreConfig } from '../types.js';
import { givenNames, type Context } from './context.js';
import { checkMirror, checkVerification } from './keep.js';
import { checkS3 } from './s3.js';

const nameRule =
  "a store's name has letters, digits, '.', '_' and '-', in parts separated by '/' that don't start with a dot " +
  'and are not part of an API, as `config` and `states` are';

/** The settings of the default store. */
const ofDefaultStore = [
  'location',
  'sample',
  'quota',
  'quota-includes-trash',
  'retention',
  'trash',
  'as-of',
  'digests',
  'allow-write',
  'allow-delete',
] as const;

/** Checks the stores: those in `stores`, and the default store of the other settings. */
export function checkStores(context: Context): Map<string, StoreConfig> {
  const { values, given } = context;
  const stores = new Map<string, StoreConfig>();
  const anonymous = defaultAnonymous(context);
  for (const [name, store] of Object.entries(values.stores.stores ?? {})) {
    const path = ['stores', name];
    if (!isStoreName(name)) context.problem(path, nameRule, { atKey: true });
    const location = checkLocation(context, [...path, 'location'], store.location);
    const retentionMs = store.retention ?? 0;
    const kept = { location, retentionMs, asOfMs: store['as-of'] };
    const checked = {
      location,
      anonymous: name === '' ? raised(context, store.anonymous ?? anonymous) : (store.anonymous ?? anonymous),
      quotaBytes: store.quota,
      quotaIncludesTrash: store['quota-includes-trash'],
      retentionMs,
      trashMs: store.trash ?? 0,
      asOfMs: store['as-of'],
      optional: store.optional,
      digests: store.digests,
      s3: checkS3(context, path, { location, retentionMs }, store.s3),
      mirror: checkMirror(context, path, kept, store.mirror),
      verification: checkVerification(context, path, kept, store.verify),
    };
    stores.set(name, checked);
    checkUndo(context, path, checked);
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
  const {
    sample,
    location,
    quotaBytes,
    quotaIncludesTrash,
    retentionMs = 0,
    trashMs = 0,
    asOfMs,
    digests,
  } = context.values.stores;
  if (sample && context.given.location !== undefined) {
    context.problem(['sample'], 'the sample store has a location of its own: remove location');
  }
  const where = sample ? 'sample' : checkLocation(context, ['location'], location);
  const undo = { quotaIncludesTrash, retentionMs, trashMs, asOfMs };
  const s3 = checkS3(context, [], { location: where, retentionMs });
  const keep = { mirror: undefined, verification: undefined };
  const store: StoreConfig = { location: where, anonymous, quotaBytes, ...undo, optional: false, digests, s3, ...keep };
  checkUndo(context, [], store);
  return store;
}

/** What depends on how a store is kept is up to the gateway that keeps it. */
function checkUndo(
  context: Context,
  path: Path,
  { location, retentionMs, trashMs, asOfMs, digests }: StoreConfig,
): void {
  if (location === 'sample' || (location.scheme !== 'grpc' && location.scheme !== 'grpcs')) return;
  const kept = 'this store is at another gateway: set it there';
  if (retentionMs > 0) context.problem([...path, 'retention'], kept);
  if (trashMs > 0) context.problem([...path, 'trash'], kept);
  if (digests !== undefined) context.problem([...path, 'digests'], kept);
  if (asOfMs === undefined) return;
  const message =
    'this store is at another gateway: write the moment into its location, as in grpc://gateway/blue@2026-11-01';
  context.problem([...path, 'as-of'], message);
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
