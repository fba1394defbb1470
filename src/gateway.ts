import { join } from 'node:path';
import type { Host } from './backends/files/temporary.js';
import { openStore } from './backends/open-store.js';
import { openAddresses, type Config } from './config/config.js';
import { allows } from './core/access.js';
import { formatAddress, type ListenAddress } from './core/address.js';
import { StoreError } from './core/errors.js';
import { formatLocation } from './core/location.js';
import type { Logger } from './core/logger.js';
import type { Store, StoreInfo } from './core/store.js';
import type { Frontend } from './frontends/frontend.js';
import { GrpcFrontend } from './frontends/grpc/server.js';
import { HttpFrontend } from './frontends/http/server.js';
import { Policy } from './layers/policy.js';
import { listenAt } from './listen.js';
import { packageFolder, version } from './package.js';
import { copySample } from './sample.js';

export interface GatewayOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly host: Host;
  /** Who runs the gateway: whose keys and SSH configuration count. */
  readonly user: User;
}

export interface User {
  readonly name: string;
  /** The home folder's absolute path. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A gateway that is serving. */
export interface Gateway {
  /** Where it listens; ports are the real ones. */
  readonly http: readonly ListenAddress[];
  readonly grpc: readonly ListenAddress[];
  /**
   * Stops: accepts nothing more, lets running requests go on for `graceMs` milliseconds (by default as configured), breaks off
   * the rest, and leaves nothing behind. May be called again with less patience.
   */
  close(graceMs?: number): Promise<void>;
}

/** How often leftovers of crashed uploads are looked for, in milliseconds. */
const sweepEveryMs = 10 * 60 * 1000;

/**
 * Opens the store, stacks the layers on it and starts both protocols. The one place where everything is put together. Fails
 * with a message for the operator, and with nothing left open.
 */
export async function startGateway({ config, log, host, user }: GatewayOptions): Promise<Gateway> {
  const cleanUps: (() => Promise<unknown>)[] = [];
  let cleaning: Promise<void> | undefined;
  const cleanUp = (): Promise<void> => (cleaning ??= runAll(cleanUps.reverse()));
  try {
    const sample = config.location === 'sample' ? await copySample() : undefined;
    if (sample) cleanUps.push(() => sample.remove());
    const location =
      config.location === 'sample' ? { scheme: 'fs' as const, path: sample?.path ?? '' } : config.location;

    const ssh = { ...config.ssh, env: user.env, home: user.home, localUser: user.name };
    const writable = allows(config.access, 'append');
    const files = await openStore(location, { ...config, host, writable, ssh, upstream: upstreamOptions(user) }, log);
    cleanUps.push(() => files.close());
    const store = new Policy(files, config.access);
    const sweep = files.sweep?.bind(files);
    if (sweep && allows(store.info().access, 'append')) cleanUps.push(await keepSwept({ sweep }, log));

    const storeOf = onlyStore(store);
    const httpFrontend = await HttpFrontend.create({ storeOf, log, v10: config.v10 });
    const grpcFrontend = new GrpcFrontend({ storeOf, log, version, protoFolder: join(packageFolder, 'proto') });
    const frontends = [httpFrontend, grpcFrontend];
    cleanUps.push(() => Promise.all(frontends.map((frontend) => frontend.close(0))));
    const http = await listenAtAll(httpFrontend, config.http);
    const grpc = await listenAtAll(grpcFrontend, config.grpc);

    announce({ config, log, http, grpc, location: formatLocation(location), info: store.info() });
    return {
      http,
      grpc,
      close: async (graceMs = config.drainMs) => {
        await Promise.all(frontends.map((frontend) => frontend.close(graceMs)));
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** The token for another gateway isn't an option: command lines can be read by everyone on the machine. */
function upstreamOptions({ env }: User): { token?: string } {
  const token = env['KLOSET_GATEWAY_TOKEN'];
  return token === undefined ? {} : { token };
}

async function runAll(tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const task of tasks) await task();
}

async function listenAtAll(frontend: Frontend, addresses: readonly ListenAddress[]): Promise<ListenAddress[]> {
  const bound: ListenAddress[] = [];
  for (const address of addresses) bound.push(...(await listenAt(frontend, address)));
  return bound;
}

/** Gives the one store that there is, whose name is empty. */
function onlyStore(store: Store): (name: string) => Store {
  return (name) => {
    if (name === '') return store;
    throw new StoreError(
      'not_found',
      `no store ${JSON.stringify(name)} here: this gateway has one, whose name is empty`,
    );
  };
}

/** Sweeps a store now and then. Resolves, after the first time, to what ends it. */
async function keepSwept(files: { sweep(): Promise<number> }, log: Logger): Promise<() => Promise<void>> {
  const sweep = async (): Promise<void> => {
    try {
      const removed = await files.sweep();
      if (removed > 0) log.info({ removed }, 'removed temporary files that a crashed upload left');
    } catch (error) {
      log.warn({ err: error }, "can't look for temporary files that crashed uploads left");
    }
  };
  await sweep();
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = sweep();
  }, sweepEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    return last;
  };
}

interface Announcement extends Pick<Gateway, 'http' | 'grpc'>, Pick<GatewayOptions, 'config' | 'log'> {
  readonly location: string;
  readonly info: StoreInfo;
}

/** Says where the gateway listens, on which store, with which policy. */
function announce({ config, log, http, grpc, location, info }: Announcement): void {
  const { access, durable } = info;
  log.info({ location, access, durable, version }, `serving ${location}, ${policyText(info)}`);
  for (const address of http) log.info({ http: formatAddress(address) }, `HTTP on ${formatAddress(address)}`);
  for (const address of grpc) log.info({ grpc: formatAddress(address) }, `gRPC on ${formatAddress(address)}`);
  for (const address of openAddresses(config)) {
    log.warn(
      { address: formatAddress(address), access },
      `whoever reaches ${formatAddress(address)} has this access: nobody logs in`,
    );
  }
}

function policyText({ access, durable }: StoreInfo): string {
  const synced = durable ? 'synced to disk before they are acknowledged' : 'NOT synced to disk';
  if (access === 'append') return `access append: callers may read and add, and what they put is ${synced}`;
  if (access === 'full') return `access full: callers may read, add and delete, and what they put is ${synced}`;
  return 'access read-only: callers may read, and nothing else';
}
