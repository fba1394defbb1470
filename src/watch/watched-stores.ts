import type { ObjectKind } from '../core/object.js';
import type { StoreStatus } from './status.js';
import type { StoreReport } from './store-report.js';

/** What is known of the stores, from the reports of them and from what was written since. */
export class WatchedStores {
  private readonly last = new Map<string, StoreReport>();
  private readonly counted = new Map<string, StoreReport>();
  /** What was added since the store was counted. */
  private readonly added = new Map<string, { objects: number; bytes: number }>();
  /** When the last state was put, in milliseconds since 1970-01-01 UTC. */
  private readonly putStateMs = new Map<string, number>();

  take(report: StoreReport): void {
    this.last.set(report.store, report);
    if (report.size !== undefined) {
      this.counted.set(report.store, report);
      this.added.delete(report.store);
    }
  }

  /** Counts an object that was put and is new. */
  addObject(store: string, kind: ObjectKind | undefined, bytes: number, timeMs: number): void {
    if (kind === 'state') this.putStateMs.set(store, timeMs);
    const before = this.added.get(store) ?? { objects: 0, bytes: 0 };
    this.added.set(store, { objects: before.objects + 1, bytes: before.bytes + bytes });
  }

  /** The size of its packfiles and states, in bytes; undefined before they were counted. */
  usedBytes(store: string): number | undefined {
    const counted = this.counted.get(store)?.size?.bytes;
    return counted === undefined ? undefined : counted + (this.added.get(store)?.bytes ?? 0);
  }

  /** When the store's newest state was written, as last looked at, in milliseconds since 1970-01-01 UTC. */
  newestStateMs(store: string): number | undefined {
    return this.putStateMs.get(store) ?? this.counted.get(store)?.newestStateMs;
  }

  status(name: string, quotaBytes: number | undefined, addedBytes: readonly number[]): StoreStatus {
    const report = this.last.get(name);
    const { size } = this.counted.get(name) ?? {};
    const newestStateMs = this.newestStateMs(name);
    const added = this.added.get(name) ?? { objects: 0, bytes: 0 };
    const { problem, freeBytes, locks, oldestLockMs } = report ?? {};
    return {
      name,
      addedBytes,
      ...(report && { isReachable: problem === undefined }),
      ...(problem !== undefined && { problem }),
      ...(size && { objects: size.packfiles + size.states + added.objects, bytes: size.bytes + added.bytes }),
      ...(quotaBytes !== undefined && { quotaBytes }),
      ...(freeBytes !== undefined && { freeBytes }),
      ...(locks !== undefined && { locks }),
      ...(oldestLockMs !== undefined && { oldestLockMs }),
      ...(newestStateMs !== undefined && { newestStateMs }),
    };
  }
}
