import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Host } from '../backends/files/temporary.js';
import type { UpstreamOptions } from '../backends/gateway/options.js';
import { openStore } from '../backends/open-store.js';
import { makeConfig, type Settings } from '../config/config.js';
import { StoreError } from '../core/errors.js';
import type { Location } from '../backends/location.js';
import { withSftpOptions } from '../backends/sftp/location.js';
import type { Logger } from '../lib/logger.js';
import type { Store } from '../core/store.js';
import type { InitConfig } from '../frontends/grpc/plakar-init.js';
import type { StoreOfCall } from '../frontends/grpc/plakar-store-service.js';
import { servePlugin } from './plugin-server.js';
import type { User } from '../server/user.js';
import { Policy } from '../access/policy.js';

export interface PluginOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly log: Logger;
  readonly host: Host;
  readonly user: User;
  /** The folder that relative paths start from. */
  readonly cwd: string;
}

/**
 * The composition root of the plugin: serves any store that plakar asks for, on a pair of streams. The user who runs plakar has all the
 * access that the store's location offers. Resolves when plakar closes the streams.
 */
export async function runPlugin(options: PluginOptions): Promise<void> {
  const stores: Store[] = [];
  const open = async (init: InitConfig): Promise<StoreOfCall> => {
    const store = await openFor(init, options);
    stores.push(store);
    const allowed = new Policy(store, { access: 'full', maxAccess: 'full', isLoggedIn: false, canLogIn: false });
    return () => allowed;
  };
  try {
    await servePlugin({ ...options, open });
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

/** Opens the store that an Init names. Errors carry all details: they are for the user of this machine. */
async function openFor(init: InitConfig, { log, host, user, cwd }: PluginOptions): Promise<Store> {
  const settings = { location: init.location, 'allow-delete': true, ...sshSettings(init.options) };
  const checked = makeConfig(settings, { home: user.home, cwd });
  if ('problems' in checked) throw new StoreError('invalid_argument', checked.problems.join('; '));
  const { config } = checked;
  const named = config.stores.get('')?.location;
  if (named === undefined || named === 'sample') throw new StoreError('invalid_argument', 'the location is missing');
  const ssh = { ...config.ssh, env: user.env, home: user.home, localUser: user.name };
  const { maxObjectBytes } = config.limits;
  try {
    const location = withOptions(named, init.options);
    const upstream = await upstreamOptions(init.options, cwd);
    return await openStore(location, { ...config, maxObjectBytes, host, writable: true, ssh, upstream }, log);
  } catch (error) {
    throw new StoreError('invalid_argument', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Applies plakar's options, which override parts of the location: `store` of a gateway; `username`, `port` and `root` of an SSH server. */
function withOptions(location: Location, { store, username, port, root }: InitConfig['options']): Location {
  if (location.scheme === 'sftp') return withSftpOptions(location, { user: username, port, path: root });
  return store !== undefined && 'store' in location ? { ...location, store } : location;
}

/** The SSH settings among the options; they have the names of plakar's own SFTP connector. */
function sshSettings({ identity, insecure_ignore_host_key: insecure }: InitConfig['options']): Settings {
  return {
    ...(identity !== undefined && { 'ssh-identity': [identity] }),
    ...(insecure !== undefined && { 'insecure-ignore-host-key': insecure === 'true' }),
  };
}

/** The options for a store at a gateway: `auth_token`, and paths of PEM files. */
async function upstreamOptions(options: InitConfig['options'], cwd: string): Promise<UpstreamOptions> {
  const read = async (name: string): Promise<Buffer | undefined> => {
    const path = options[name];
    return path === undefined ? undefined : readFile(resolve(cwd, path));
  };
  const [ca, cert, key] = [await read('tls_ca'), await read('tls_cert'), await read('tls_key')];
  const token = options['auth_token'];
  return {
    ...(token === undefined ? {} : { token }),
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
  };
}
