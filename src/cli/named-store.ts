import type { OpenedStore, OpenOptions, User } from '../backends/backend.js';
import { openStore } from '../backends/backends.js';
import { unknownName } from '../config/checks/context.js';
import { configPathOf, loadConfig, type SettingSources } from '../config/load.js';
import type { Config } from '../config/types.js';
import type { Logger } from '../lib/logger.js';
import { readFirstLine } from '../lib/read-text.js';
import type { StoreArgument } from './command-types.js';
import { placeIn, type Place } from './location-settings.js';

/** What opening a store takes. */
export interface StoreContext extends Pick<SettingSources, 'env' | 'surroundings'>, Pick<OpenOptions, 'host'> {
  readonly user: User;
  /** Writes a part of the output, for commands that print a lot; what the outcome has to be printed follows. Fails if that can't be written. */
  readonly print: (text: string) => Promise<void>;
  /** Writes to the terminal, beside the output; undefined: there is none. */
  readonly terminal: ((text: string) => void) | undefined;
  /** Writes a message at once, for commands that take hours. Undefined: messages are dropped. */
  readonly say?: ((text: string) => void) | undefined;
  /**
   * From its first call, a request to stop, as Ctrl+C is one, aborts this signal rather than ending the process; the second one ends it.
   * Undefined: nothing can interrupt.
   */
  readonly interruption?: (() => AbortSignal) | undefined;
}

/** A store that a command line names. */
export interface NamedStore extends Place {
  readonly config: Config;
}

/** Finds the store that is named: in the configuration file, or by its location, about which the file may have settings. */
export async function namedStore(
  argument: StoreArgument,
  context: Pick<StoreContext, 'env' | 'surroundings'>,
): Promise<NamedStore | { readonly problems: readonly string[] }> {
  const { flags, configPath, store } = argument;
  if (flags.location !== undefined && store !== undefined)
    return { problems: ['LOCATION and --store name two stores: give one of them'] };
  const located = await locatedStore(argument, context);
  if (located !== undefined) return located;
  if (store !== undefined && configPathOf({ configPath, ...context }) === undefined)
    return { problems: [`${JSON.stringify(store)} is a store of a configuration file: name that with --config FILE`] };
  const loaded = await loadConfig({ flags, configPath, ...context });
  if ('problems' in loaded) return loaded;
  const { config } = loaded;
  const names = [...config.stores.keys()];
  const only = names.length === 1 ? names[0] : undefined;
  const found = config.stores.get(store ?? only ?? '');
  if (found === undefined) {
    const problem =
      store === undefined
        ? `there is no default store: name one with --store: ${names.join(', ')}`
        : `--store ${JSON.stringify(store)}: ${unknownName('store', store, names)}`;
    return { problems: [problem] };
  }
  if (found.location === 'sample')
    return { problems: ['the sample store is a new copy each time that it is served: name another one'] };
  return { location: found.location, settings: found, config };
}

/** A store that is named by its location, if there is a configuration file and it can be opened by what that says. */
async function locatedStore(
  { flags: { location: written, ...flags }, configPath }: StoreArgument,
  context: Pick<StoreContext, 'env' | 'surroundings'>,
): Promise<NamedStore | undefined> {
  if (typeof written !== 'string' || configPathOf({ configPath, ...context }) === undefined) return undefined;
  const loaded = await loadConfig({ flags, configPath, ...context });
  if ('problems' in loaded) return undefined;
  const { config } = loaded;
  const place = placeIn(config, written, context.surroundings);
  return place && { ...place, config };
}

/**
 * Why two stores of different gateways can't be opened with the environment's one token: each gateway would see it, and could use it at the other.
 * Undefined if they can.
 */
export function sharedTokenProblem(
  one: NamedStore,
  other: NamedStore,
  { user }: Pick<StoreContext, 'user'>,
): string | undefined {
  if (user.env['KLOSET_GATEWAY_TOKEN'] === undefined) return undefined;
  const [first, second] = [one, other].map(gatewayWithoutToken);
  if (first === undefined || second === undefined || first === second) return undefined;
  return (
    `${first} and ${second} are two gateways, and would both be shown the token in KLOSET_GATEWAY_TOKEN: ` +
    'name a configuration file with --config that has one of the locations as a mirror, with its token-file'
  );
}

/** The address of the gateway that has a store, if it is opened by the environment's token. */
function gatewayWithoutToken({ location, settings }: NamedStore): string | undefined {
  const isGateway = location.scheme === 'grpc' || location.scheme === 'grpcs';
  return isGateway && settings.tokenFile === undefined ? location.address : undefined;
}

/** What a command does with a store. */
export interface Use {
  /** Whether it writes or deletes. */
  readonly writable: boolean;
  /** Whether what it deletes goes to the store's trash. */
  readonly trashes: boolean;
}

/** How a named store is opened, with the settings that apply to it. */
export function openOptions({ settings, config }: NamedStore, use: Use, { host, user }: StoreContext): OpenOptions {
  const { ssh, durable, limits } = config;
  const { maxObjectBytes, minFreeBytes } = limits;
  const { s3, retentionMs } = settings;
  const locks = s3?.objectLock !== undefined && { retentionMs };
  return { ssh, s3, durable, maxObjectBytes, minFreeBytes, ...use, ...locks, host, user };
}

/** Opens a named store. Fails as `openStore` does. */
export async function openNamed(named: NamedStore, use: Use, context: StoreContext, log: Logger): Promise<OpenedStore> {
  const { location, settings } = named;
  const options = openOptions(named, use, context);
  const { user } = options;
  const token = settings.tokenFile && (await readFirstLine('the token', settings.tokenFile));
  const env = { ...user.env, ...(token && { KLOSET_GATEWAY_TOKEN: token }) };
  return openStore(location, { ...options, user: { ...user, env } }, log);
}
