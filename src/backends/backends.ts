import { hasCode, StoreError } from '../core/errors.js';
import type { Logger } from '../lib/logger.js';
import type { Surroundings } from '../lib/paths.js';
import type { Backend, Connector, OpenedStore, OpenOptions } from './backend.js';
import { gateway } from './gateway/backend.js';
import { local } from './local/backend.js';
import { s3 } from './s3/backend.js';
import { sftp } from './sftp/backend.js';

/** Every backend. A new one is a folder, and a line here. */
const backends = [local, sftp, s3, gateway] as const;

/** Where a store is: plain data. */
export type Location = ReturnType<(typeof backends)[number]['parse']>;

const byScheme = new Map<string, Backend<Location>>(
  backends.flatMap((backend) => backend.schemes.map((scheme) => [scheme, backend])),
);

/** plakar's default where PLAKAR_REPOSITORY isn't set. */
const defaultLocation = '~/.plakar';

/** How locations are written, for help and errors. */
export const locationForms = formsOf(backends);

/** The same, where another gateway's stores won't do. */
export const ownLocationForms = formsOf(backends.filter((backend) => backend !== gateway));

/** Reads a store's location, a path or a URL; plakar's default if undefined. Or says what is wrong with it. */
export function parseLocation(
  written: string | undefined,
  surroundings: Surroundings,
): Location | { readonly problem: string } {
  const text = written ?? surroundings.repository ?? defaultLocation;
  if (text === '' || text.includes('\0')) return { problem: 'it is empty or has a NUL in it' };
  const [, scheme = 'fs'] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  const backend = byScheme.get(scheme.toLowerCase());
  if (backend === undefined) return { problem: `it has to be ${locationForms}` };
  try {
    return backend.parse(text, surroundings);
  } catch (error) {
    return { problem: StoreError.from(error).message };
  }
}

/** A location as people write it. */
export function formatLocation(location: Location): string {
  return backendOf(location).format(location);
}

/** The location with the options in plakar's configuration of the store, which take precedence. Throws `invalid_argument`. */
export function withConnectorOptions(location: Location, options: Connector['options']): Location {
  return backendOf(location).withConnectorOptions?.(location, options) ?? location;
}

/**
 * Opens the store at a location. What its server can't guarantee is logged, and shows in the store's info. Fails with an error whose
 * message is for the operator: it names the location, what is wrong and what to do.
 */
export async function openStore(location: Location, options: OpenOptions, log: Logger): Promise<OpenedStore> {
  const backend = backendOf(location);
  try {
    return await backend.open(location, options, log);
  } catch (cause) {
    const error = StoreError.from(cause);
    const where = backend.format(location);
    const isNoStore = error.code === 'not_found' && backend !== gateway;
    const message = isNoStore
      ? `${where} is not a Kloset store: there is no file ${where}/CONFIG. ` +
        `Name ${'path' in location ? "a store's folder" : 'a store'}, or make one there: a second copy of another store with ` +
        `\`kloset-gateway copy SOURCE ${where} --create\`, a new store with \`plakar at ${where} create\`. ` +
        'If there are packfiles, its CONFIG is lost: put the CONFIG of a second copy there.'
      : `the store at ${where} can't be opened: ${error.message}`;
    throw new Error(message, { cause });
  }
}

/**
 * Makes an empty store at a location, with this CONFIG: see `Backend.create`. Resolves to whether it did: false where there is a store already. Fails
 * with an error whose message is for the operator, and names the location.
 */
export async function createStore(
  location: Location,
  config: Uint8Array,
  options: OpenOptions,
  log: Logger,
): Promise<boolean> {
  const backend = backendOf(location);
  const failure = `no store can be made at ${backend.format(location)}`;
  if (backend.create === undefined) throw new Error(`${failure}: make it where it is kept, and serve it`);
  try {
    await backend.create(location, config, options, log);
    return true;
  } catch (cause) {
    if (hasCode(cause, 'already_exists')) return false;
    throw new Error(`${failure}: ${StoreError.from(cause).message}`, { cause });
  }
}

function formsOf(some: readonly { readonly form: string }[]): string {
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(some.map(({ form }) => form));
}

function backendOf({ scheme }: Location): Backend<Location> {
  const backend = byScheme.get(scheme);
  if (backend === undefined) throw new Error(`there is no backend for ${scheme}://`);
  return backend;
}
