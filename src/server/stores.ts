import type { OpenOptions } from '../backends/backend.js';
import { formatLocation, openStore } from '../backends/backends.js';
import type { Config, StoreConfig } from '../config/types.js';
import { hasRight, higher, type Access } from '../core/access.js';
import type { Store } from '../core/store.js';
import { MixedGenerations } from '../layers/mixed-generations.js';
import { Quota } from '../layers/quota.js';
import type { GatewayOptions } from './gateway.js';
import { OptionalStore } from './optional-store.js';
import { copySample } from './sample.js';
import { sweepPeriodically } from './sweeping.js';

/** An opened store, with the layers that all callers share. */
export interface OpenedStore {
  readonly store: Store;
  /** For messages to the operator. */
  readonly location: string;
  /** The size of its packfiles and states, in bytes; undefined without a quota, and until they are counted. */
  readonly usedBytes: () => number | undefined;
  /** Changes the quota, in bytes, of a store that has one. */
  readonly setQuota: (bytes: number | undefined) => void;
}

/** The stores of one configuration. */
export interface AcquiredStores {
  /** By name. */
  readonly stores: ReadonlyMap<string, OpenedStore>;
  /** Releases them after a grace period, in milliseconds (default 0); stores that no other configuration has are closed. Idempotent. */
  release(graceMs?: number): Promise<void>;
}

interface Entry {
  readonly opened: Promise<OpenedStore>;
  readonly cleanUps: (() => Promise<unknown>)[];
  references: number;
}

export interface StorePoolOptions extends Pick<GatewayOptions, 'host' | 'user' | 'log'> {
  /** Whether this process removes leftovers of crashed uploads: of several processes, one does. */
  readonly sweeps: boolean;
}

/**
 * The opened stores, with reference counts. Stores that don't change at a reload stay open, with their connections, files and
 * counts.
 */
export class StorePool {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: StorePoolOptions) {}

  /** Opens the stores of a configuration. Fails with a message for the operator, and with none of them acquired. */
  async acquire(config: Config): Promise<AcquiredStores> {
    const keys = [...config.stores].map(([name, store]) => this.reference(name, store, config));
    const opened = await Promise.allSettled(keys.map((key) => this.entries.get(key)?.opened));
    const failed = opened.find((each) => each.status === 'rejected');
    if (failed !== undefined) {
      await this.release(keys);
      throw failed.reason;
    }
    const stores = new Map<string, OpenedStore>();
    for (const [index, name] of [...config.stores.keys()].entries()) {
      const each = opened[index];
      if (each?.status === 'fulfilled' && each.value !== undefined) stores.set(name, each.value);
    }
    let released: Promise<void> | undefined;
    return {
      stores,
      release: async (graceMs = 0) => {
        if (graceMs > 0) await new Promise((resolve) => setTimeout(resolve, graceMs).unref());
        await (released ??= this.release(keys));
      },
    };
  }

  /** Adds a reference to a store's entry, which may be new. Returns the entry's key. */
  private reference(name: string, store: StoreConfig, config: Config): string {
    const writable = hasRight(highestAccess(name, config), 'append');
    const { ssh, durable, limits } = config;
    const { maxObjectBytes, minFreeBytes } = limits;
    const needs = { ssh, durable, maxObjectBytes, minFreeBytes, writable };
    const hasQuota = store.quotaBytes !== undefined;
    const { location, optional } = store;
    const key = JSON.stringify({ name, location, optional, hasQuota, ...needs });
    const present = this.entries.get(key);
    if (present !== undefined) {
      present.references++;
      return key;
    }
    const cleanUps: Entry['cleanUps'] = [];
    const opened = this.open(name, store, needs, cleanUps);
    opened.catch(() => undefined);
    this.entries.set(key, { opened, cleanUps, references: 1 });
    return key;
  }

  private async release(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const entry = this.entries.get(key);
      if (entry === undefined || --entry.references > 0) continue;
      this.entries.delete(key);
      await entry.opened.catch(() => undefined);
      // All at once: operations on a store that can't be reached end only when that is closed.
      await Promise.allSettled(entry.cleanUps.reverse().map((cleanUp) => cleanUp()));
    }
  }

  private async open(
    name: string,
    { location: where, quotaBytes, optional }: StoreConfig,
    needs: Omit<OpenOptions, 'host' | 'user'>,
    cleanUps: Entry['cleanUps'],
  ): Promise<OpenedStore> {
    const { host, user, log, sweeps } = this.options;
    const sample = where === 'sample' ? await copySample() : undefined;
    if (sample) cleanUps.push(() => sample.remove());
    const location = where === 'sample' ? { scheme: 'fs' as const, path: sample?.path ?? '' } : where;
    const open = () => openStore(location, { ...needs, host, user }, log);
    const { durable, maxObjectBytes } = needs;
    const info = { access: 'full', durable, maxObjectBytes } as const;
    const files = optional ? await OptionalStore.open({ open, info, log }) : await open();
    cleanUps.push(() => files.close());
    const sweep = files.sweep?.bind(files);
    if (sweep && sweeps && needs.writable && hasRight(files.info().access, 'append')) {
      cleanUps.push(await sweepPeriodically({ sweep }, log));
    }
    const quota = quotaBytes === undefined ? undefined : new Quota(files, quotaBytes, { name, log });
    quota?.start();
    if (quota) cleanUps.push(() => quota.stop());
    return {
      store: new MixedGenerations(quota ?? files, { name, log }),
      location: formatLocation(location),
      usedBytes: () => quota?.usedBytes,
      setQuota: (bytes) => {
        if (quota && bytes !== undefined) quota.maxBytes = bytes;
      },
    };
  }
}

/** The highest access that any caller has to a store. */
function highestAccess(name: string, { stores, principals }: Config): Access {
  const all = principals.map(({ access }) => access.get(name) ?? access.get('*') ?? 'none');
  return [...all, stores.get(name)?.anonymous ?? 'none'].reduce(higher);
}
