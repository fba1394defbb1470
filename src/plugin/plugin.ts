import type { Readable, Writable } from 'node:stream';
import type { Host } from '../backends/files/sweep.js';
import { openStore, withConnectorOptions } from '../backends/backends.js';
import { makeConfig } from '../config/config.js';
import { StoreError } from '../core/errors.js';
import type { Logger } from '../lib/logger.js';
import type { Store } from '../core/store.js';
import type { InitConfig } from '../frontends/grpc/plakar-init.js';
import type { StoreOfCall } from '../frontends/grpc/plakar-store-service.js';
import { servePlugin } from './plugin-server.js';
import type { User } from '../backends/backend.js';
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
  const surroundings = { home: user.home, cwd };
  const checked = makeConfig({ location: init.location, 'allow-delete': true }, surroundings);
  if ('problems' in checked) throw new StoreError('invalid_argument', checked.problems.join('; '));
  const { config } = checked;
  const named = config.stores.get('')?.location;
  if (named === undefined || named === 'sample') throw new StoreError('invalid_argument', 'the location is missing');
  const { ssh, durable, limits } = config;
  const { maxObjectBytes } = limits;
  const connector = { options: init.options, surroundings };
  try {
    const location = withConnectorOptions(named, init.options);
    return await openStore(location, { ssh, durable, maxObjectBytes, host, user, writable: true, connector }, log);
  } catch (error) {
    throw new StoreError('invalid_argument', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
