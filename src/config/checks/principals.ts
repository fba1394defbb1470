import { hasRight, higher, lower, type Access } from '../../core/access.js';
import { canonicalCertificateName } from '../../core/caller.js';
import type { Path } from '../problems.js';
import type { WrittenPrincipal } from '../settings/principals.js';
import type { ListenerConfig, PrincipalConfig, StoreConfig } from '../types.js';
import { givenNames, unknownName, type Context } from './context.js';

/** What logs call callers who haven't logged in. */
const reserved = 'anonymous';

/** Why a text can't be a principal's name; undefined if it can. Logs, HTTP Basic and htpasswd files must be able to hold it. */
export function principalNameProblem(name: string): string | undefined {
  if (name === reserved) return "logs use this name for callers who haven't logged in: use another name";
  if (/^[^\s:\p{C}]{1,200}$/u.test(name) && name !== '__proto__') return undefined;
  return "a principal's name has 1 to 200 characters, without colons, spaces and control characters";
}

/** Checks who can log in. */
export function checkPrincipals(
  context: Context,
  listeners: readonly ListenerConfig[],
  stores: ReadonlyMap<string, StoreConfig>,
): PrincipalConfig[] {
  const { adminToken } = context.values.principals;
  const owners = new Map(adminToken === undefined ? [] : [[`token ${adminToken}`, 'admin-token']]);
  return Object.entries(context.values.principals.principals ?? {}).map(([name, written]) => {
    const path = ['principals', name];
    const problem = principalNameProblem(name);
    if (problem !== undefined) context.problem(path, problem, { atKey: true });
    checkCredentials(context, name, written, owners);
    for (const store of Object.keys(written.access ?? {}).filter((each) => each !== '*')) {
      checkStore(context, [...path, 'access', store]);
    }
    for (const [i, listener] of (written.listeners ?? []).entries()) {
      checkListener(context, [...path, 'listeners', i], listener, written.admin, listeners);
    }
    const principal = {
      name,
      tokens: written.tokens ?? [],
      certificates: written.certificates ?? [],
      access: new Map<string, Access>(Object.entries(written.access ?? {})),
      listeners: written.listeners && new Set(written.listeners),
      admin: written.admin,
      expectBackupMs: new Map(Object.entries(written['expect-backup'] ?? {})),
      pings: new Map(Object.entries(written.ping ?? {})),
    };
    checkBackups(context, principal, listeners, stores);
    return principal;
  });
}

/** Where a principal's backups are expected, or others are told of them, it must be able to make some. */
function checkBackups(
  context: Context,
  principal: PrincipalConfig,
  listeners: readonly ListenerConfig[],
  stores: ReadonlyMap<string, StoreConfig>,
): void {
  const { name, expectBackupMs, pings } = principal;
  // Invalid levels and listeners are missing from what is checked here.
  const given = Object.keys(context.given.principals?.[name]?.access ?? {});
  const isClear = given.every((each) => principal.access.has(each)) && !someListenersInvalid(context);
  for (const [key, names] of [['expect-backup', expectBackupMs.keys()] as const, ['ping', pings.keys()] as const]) {
    for (const store of names) {
      const path = ['principals', name, key, store];
      const config = stores.get(store);
      if (!checkStore(context, path) || config === undefined || !isClear) continue;
      if (canAppend(principal, store, config.anonymous, listeners)) continue;
      const message = `${name} can't back up there: it needs append access to the store, on a listener that allows it`;
      context.problem(path, message, { atKey: true });
    }
  }
}

function canAppend(
  { access, listeners: own }: PrincipalConfig,
  store: string,
  anonymous: Access,
  listeners: readonly ListenerConfig[],
): boolean {
  const granted = higher(access.get(store) ?? access.get('*') ?? 'none', anonymous);
  return listeners
    .filter(({ protocol, name }) => protocol !== 'admin' && own?.has(name) !== false)
    .some(({ maxAccess }) => hasRight(lower(granted, maxAccess), 'append'));
}

/**
 * Each principal needs a token or a certificate, and none that another one has.
 *
 * @param owners of the credentials seen so far
 */
function checkCredentials(
  context: Context,
  name: string,
  written: WrittenPrincipal,
  owners: Map<string, string>,
): void {
  const path = ['principals', name];
  const { tokens = [], certificates = [] } = written;
  const claim = (credential: string, at: Path, what: string): void => {
    const owner = owners.get(credential);
    if (owner !== undefined) {
      context.problem(
        at,
        owner === name ? 'is listed twice' : `${owner} has the same ${what}: each principal needs its own`,
      );
    }
    owners.set(credential, name);
  };
  tokens.forEach(({ sha256 }, i) => claim(`token ${sha256}`, [...path, 'tokens', i], 'token'));
  certificates.forEach((each, i) =>
    claim(`certificate ${canonicalCertificateName(each)}`, [...path, 'certificates', i], 'certificate'),
  );
  if (certificates.length > 0 && context.given['client-ca'] === undefined) {
    context.problem([...path, 'certificates'], 'no client certificate is trusted: set client-ca');
  }
  // An invalid list is missing from what is checked here.
  const given = context.given.principals?.[name];
  if ((['tokens', 'certificates'] as const).some((key) => given?.[key] !== undefined && !written[key])) return;
  // An empty list says that its tokens were revoked.
  if (written.tokens === undefined && certificates.length === 0 && context.given.htpasswd === undefined) {
    const message = `has no way to log in: run \`kloset-gateway token create ${name}\`, or list its certificates`;
    context.problem(path, message, { atKey: true });
  }
}

/** Checks the store that is the last key of a path. */
function checkStore(context: Context, path: Path): boolean {
  const { given, values } = context;
  const store = String(path.at(-1));
  if (context.isInvalid('stores')) return true;
  const hasDefault = given.stores === undefined || given.location !== undefined || values.stores.sample;
  // Including invalid ones.
  const named = givenNames(context, 'stores');
  const names = hasDefault && !named.includes('') ? ['', ...named] : named;
  if (names.includes(store)) return true;
  context.problem(path, unknownName('store', store, names), { atKey: true });
  return false;
}

function checkListener(
  context: Context,
  path: Path,
  name: string,
  isAdmin: boolean,
  listeners: readonly ListenerConfig[],
): void {
  if (someListenersInvalid(context)) return;
  const names = listeners.filter(({ protocol }) => isAdmin || protocol !== 'admin').map((each) => each.name);
  if (!names.includes(name)) context.problem(path, unknownName('listener', name, names));
}

function someListenersInvalid(context: Context): boolean {
  return (['listen', 'grpc-listen', 'admin-listen'] as const).some((each) => context.isInvalid(each));
}
