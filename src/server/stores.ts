import type { Host } from '../backends/files/temporary.js';
import { formatLocation, openStore } from '../backends/backends.js';
import type { Config, StoreConfig } from '../config/types.js';
import { allows, type Access } from '../core/access.js';
import type { Logger } from '../lib/logger.js';
import type { Store } from '../core/store.js';
import { Quota } from '../layers/quota.js';
import { copySample } from './sample.js';
import { keepSwept } from './sweeping.js';
import type { User } from './user.js';

/** A store that is open, with the layers that all of its callers share. */
export interface OpenStore {
  readonly store: Store;
  /** Where it is, for the operator. */
  readonly location: string;
  /** How much its packfiles and states have, in bytes, where it has a quota and that is known. */
  readonly usedBytes: () => number | undefined;
  /** Changes the quota of a store that has one, in bytes. */
  readonly setQuota: (bytes: number | undefined) => void;
}

/** The stores of one configuration, while that is in force. */
export interface Lease {
  /** By name. */
  readonly stores: ReadonlyMap<string, OpenStore>;
  /** Lets go of them, in `afterMs` milliseconds: those that no other lease has are closed then. Once more changes nothing. */
  end(afterMs: number): Promise<void>;
}

interface Entry {
  readonly opened: Promise<OpenStore>;
  readonly cleanUps: (() => Promise<unknown>)[];
  leases: number;
}

export interface StorePoolOptions {
  readonly host: Host;
  /** Whose keys and SSH configuration count. */
  readonly user: User;
  readonly log: Logger;
  /** Whether leftovers are swept here: of several processes, one does. */
  readonly sweeps: boolean;
}

/**
 * The stores that are open. A configuration that takes the place of another one keeps those that it has in common with it: their
 * connections, files and counts.
 */
export class StorePool {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: StorePoolOptions) {}

  /** Opens the stores of a configuration. Fails with a message for the operator, and with none of them kept. */
  async lease(config: Config): Promise<Lease> {
    const keys = [...config.stores].map(([name, store]) => this.enter(name, store, config));
    const end = (): Promise<void> => this.leave(keys);
    const opened = await Promise.allSettled(keys.map((key) => this.entries.get(key)?.opened));
    const failed = opened.find((each) => each.status === 'rejected');
    if (failed !== undefined) {
      await end();
      throw failed.reason;
    }
    const stores = new Map<string, OpenStore>();
    for (const [index, name] of [...config.stores.keys()].entries()) {
      const each = opened[index];
      if (each?.status === 'fulfilled' && each.value !== undefined) stores.set(name, each.value);
    }
    let ended: Promise<void> | undefined;
    return {
      stores,
      end: async (afterMs) => {
        if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs).unref());
        await (ended ??= end());
      },
    };
  }

  /** The key of a store's entry, which is made where there is none like it. */
  private enter(name: string, store: StoreConfig, config: Config): string {
    const writable = allows(mostAccess(name, config), 'append');
    const { ssh, durable, limits } = config;
    const { maxObjectBytes, minFreeBytes } = limits;
    const needs = { ssh, durable, maxObjectBytes, minFreeBytes, writable };
    const hasQuota = store.quotaBytes !== undefined;
    const key = JSON.stringify({ name, location: store.location, hasQuota, ...needs });
    const present = this.entries.get(key);
    if (present !== undefined) {
      present.leases++;
      return key;
    }
    const cleanUps: Entry['cleanUps'] = [];
    const opened = this.open(name, store, needs, cleanUps);
    opened.catch(() => undefined);
    this.entries.set(key, { opened, cleanUps, leases: 1 });
    return key;
  }

  private async leave(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const entry = this.entries.get(key);
      if (entry === undefined || --entry.leases > 0) continue;
      this.entries.delete(key);
      await entry.opened.catch(() => undefined);
      // None waits for another one: what goes on in a store that can't be reached ends when that is closed.
      await Promise.allSettled(entry.cleanUps.reverse().map((cleanUp) => cleanUp()));
    }
  }

  private async open(
    name: string,
    { location: where, quotaBytes }: StoreConfig,
    needs: Pick<Config, 'ssh' | 'durable'> & {
      readonly maxObjectBytes: number;
      readonly minFreeBytes: number;
      readonly writable: boolean;
    },
    cleanUps: Entry['cleanUps'],
  ): Promise<OpenStore> {
    const { host, user, log, sweeps } = this.options;
    const sample = where === 'sample' ? await copySample() : undefined;
    if (sample) cleanUps.push(() => sample.remove());
    const location = where === 'sample' ? { scheme: 'fs' as const, path: sample?.path ?? '' } : where;
    const files = await openStore(location, { ...needs, host, user }, log);
    cleanUps.push(() => files.close());
    const sweep = files.sweep?.bind(files);
    if (sweep && sweeps && needs.writable && allows(files.info().access, 'append')) {
      cleanUps.push(await keepSwept({ sweep }, log));
    }
    const quota = quotaBytes === undefined ? undefined : new Quota(files, quotaBytes, { name, log });
    quota?.start();
    if (quota) cleanUps.push(() => quota.stop());
    return {
      store: quota ?? files,
      location: formatLocation(location),
      usedBytes: () => quota?.usedBytes,
      setQuota: (bytes) => {
        if (quota && bytes !== undefined) quota.maxBytes = bytes;
      },
    };
  }
}

/** The most that any caller may do with a store, whoever it is. */
function mostAccess(name: string, { stores, principals }: Config): Access {
  const all = principals.map(({ access }) => access.get(name) ?? access.get('*') ?? 'none');
  return [...all, stores.get(name)?.anonymous ?? 'none'].reduce((a, b) => (allows(a, b) ? a : b));
}
