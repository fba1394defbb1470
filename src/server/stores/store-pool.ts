import type { Config, StoreConfig } from '../../config/types.js';
import { hasRight, higher, type Access } from '../../core/access.js';
import { StoreOpener, type OpenedStore, type StoreOpenerOptions } from './store-opener.js';

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

/**
 * The opened stores, with reference counts. Stores that don't change at a reload stay open, with their connections, files and
 * counts.
 */
export class StorePool {
  private readonly entries = new Map<string, Entry>();
  private readonly opener: StoreOpener;

  constructor(options: StoreOpenerOptions) {
    this.opener = new StoreOpener(options);
  }

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
    const { location, optional, quotaIncludesTrash, asOfMs, s3, retentionMs } = store;
    const isWritten = hasRight(highestAccess(name, config), 'append') || store.mirror?.direction === 'from';
    const writable = asOfMs === undefined && isWritten;
    const { ssh, durable, limits } = config;
    const { maxObjectBytes, minFreeBytes } = limits;
    // Elsewhere the gateway alone keeps to the retention, and can change it while the store is open.
    const isLocked = [s3, store.mirror?.s3].some((each) => each?.objectLock !== undefined);
    const locks = isLocked && { retentionMs };
    const uses = { trashes: store.trashMs > 0, digests: store.digests !== undefined };
    const needs = { ssh, s3, durable, maxObjectBytes, minFreeBytes, writable, ...uses, ...locks };
    const quota = store.quotaBytes !== undefined && { quotaIncludesTrash };
    const mirror = store.mirror && { ...store.mirror, everyMs: 0, lagMs: 0, bytesPerSecond: 0 };
    const key = JSON.stringify({ name, location, optional, quota, asOfMs, mirror, ...needs });
    const present = this.entries.get(key);
    if (present !== undefined) {
      present.references++;
      return key;
    }
    const cleanUps: Entry['cleanUps'] = [];
    const opened = this.opener.open(name, store, config, needs, cleanUps);
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
}

/** The highest access that any caller has to a store. */
function highestAccess(name: string, { stores, principals }: Config): Access {
  const all = principals.map(({ access }) => access.get(name) ?? access.get('*') ?? 'none');
  return [...all, stores.get(name)?.anonymous ?? 'none'].reduce(higher);
}
