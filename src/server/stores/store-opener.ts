import type { OpenedStore as BackendStore, OpenOptions } from '../../backends/backend.js';
import { formatLocation, openStore } from '../../backends/backends.js';
import type { Config, StoreConfig } from '../../config/types.js';
import { hasRight } from '../../core/access.js';
import { ownEntry, type AuditSink } from '../../core/audit.js';
import type { DigestRecorder } from '../../core/digests.js';
import type { ObjectRef } from '../../core/object.js';
import type { OpContext, Store } from '../../core/store.js';
import type { TrashedObject } from '../../core/trash.js';
import type { StoreObserver } from '../../core/store-observer.js';
import { DigestWriter } from '../../integrity/digest-writer.js';
import { Measured } from '../../layers/measured.js';
import { MirroredReads, type Loss } from '../../layers/mirrored-reads.js';
import { MixedGenerations } from '../../layers/mixed-generations.js';
import { Quota, type QuotaOptions } from '../../layers/quota.js';
import { Retained } from '../../layers/retained.js';
import { instantOf, machineClocks, RetentionClock, timeSince, type Instant } from '../../layers/retention-clock.js';
import { viewsOf } from '../../layers/views.js';
import type { GatewayOptions } from '../gateway.js';
import { copySample } from '../sample.js';
import { digestedStore } from './digested-store.js';
import { openMirror, type Mirror } from './mirror-store.js';
import { OptionalStore } from './optional-store.js';
import { purge } from './purging.js';
import { sweepEveryMs, sweepPeriodically } from './sweeping.js';

/** An opened store, with the layers that all callers share. */
export interface OpenedStore {
  readonly store: Store;
  /** The same for what the gateway itself does with it: nothing is read from the mirror. */
  readonly own: Store;
  /** The store without layers. */
  readonly backend: BackendStore;
  /** Records digests of its objects, where that is set. What creates one closes it. */
  readonly newRecorder: () => DigestRecorder | undefined;
  /** Its other copy, if there is one and this process needs it. */
  readonly mirror: Mirror | undefined;
  /** For messages to the operator. */
  readonly location: string;
  /** With a quota: resolves to the size of its packfiles and states, in bytes, once they are counted. Fails as Quota.measuredBytes. */
  readonly measuredBytes: ((ctx: OpContext) => Promise<number>) | undefined;
  /** How many bytes can still be written on its disk; undefined if unknown. */
  readonly freeBytes: () => Promise<number | undefined>;
  /** The store as of a moment, see viewsOf. */
  readonly asOf: (momentMs: number) => Store;
  /** Applies what another configuration changes of a store that stays open. */
  readonly configure: (changes: StoreChanges) => void;
}

/** What a reload can change of an open store: the quota of a store that has one, the times for which it keeps objects, and its clock. */
export interface StoreChanges extends Pick<StoreConfig, 'quotaBytes' | 'retentionMs' | 'trashMs'> {
  /** Whether the operator says that the clock is right. */
  readonly trustsClock: boolean;
}

export interface StoreOpenerOptions extends Pick<GatewayOptions, 'host' | 'user' | 'log'> {
  /** Whether this process is the one of several that removes leftovers of crashed uploads, and writes mirrors. */
  readonly sweeps: boolean;
  /** What observes the store of a name. Default: nothing. */
  readonly observerOf?: (name: string) => StoreObserver;
  /** Where it is recorded what is removed from the trash for good. Default: nowhere. */
  readonly audit?: AuditSink;
  /** Told of each read that a store's mirror answered. */
  readonly mirrorRead?: (name: string, ref: ObjectRef, loss: Loss) => void;
  /** How often the stores are cleaned up, in milliseconds. Default: every ten minutes. */
  readonly cleanEveryMs?: number;
  /** As in Shared. Default: now, and as the first configuration says. */
  readonly startedAt?: Instant;
  readonly trustedAt?: Instant | undefined;
}

/** What opens stores and puts the layers around them that all callers share. */
export class StoreOpener {
  private readonly start: Instant;
  /** When the operator said that the clock was right. */
  private trusted: Instant | undefined;

  constructor(private readonly options: StoreOpenerOptions) {
    this.start = options.startedAt ?? instantOf(machineClocks);
    this.trusted = options.trustedAt;
  }

  /**
   * Opens a store. Fails with a message for the operator.
   *
   * @param cleanUps gets what is to be called to close it, last one first; also where it can't be opened
   */
  async open(
    name: string,
    store: StoreConfig,
    { instance }: Config,
    needs: Omit<OpenOptions, 'host' | 'user' | 'onReconnect' | 'now'>,
    cleanUps: (() => Promise<unknown>)[],
  ): Promise<OpenedStore> {
    const { host, user, log, observerOf } = this.options;
    const { location: where, optional, asOfMs } = store;
    const sample = where === 'sample' ? await copySample() : undefined;
    if (sample) cleanUps.push(() => sample.remove());
    const location = where === 'sample' ? { scheme: 'fs' as const, path: sample?.path ?? '' } : where;
    const observer = observerOf?.(name);
    const onReconnect = (): void => observer?.reconnected();
    // What is deleted while the clock is set back must not seem older than it is.
    const now = (): number => Math.max(Date.now(), timeSince(this.start, machineClocks));
    const open = () => openStore(location, { ...needs, host, user, onReconnect, now }, log);
    const { durable, maxObjectBytes } = needs;
    const info = { access: 'full', durable, maxObjectBytes, retentionMs: 0, trashMs: 0 } as const;
    const files = optional ? await OptionalStore.open({ open, info, log }) : await open();
    cleanUps.push(() => files.close());
    const measured = observer === undefined ? files : new Measured(files, observer);
    const quota = quotaOf(measured, store, { name, log, trash: () => files.trash });
    quota?.start();
    if (quota) cleanUps.push(() => quota.stop());
    const clock = new RetentionClock(measured, { name, log, start: this.start, trash: () => files.trash });
    cleanUps.push(async () => clock.stop());
    const recording = needs.writable ? files.digests : undefined;
    const puts = store.digests !== undefined;
    const digested = recording && digestedStore(quota ?? measured, recording, { puts, name, instance, host, log });
    if (digested) cleanUps.push(() => digested.stop());
    const generations = new MixedGenerations(digested ?? quota ?? measured, { name, log });
    const retained = new Retained(generations, clock, store, () => observer?.retained());
    if (needs.writable && hasRight(files.info().access, 'append')) {
      const inS3 = location.scheme === 's3';
      cleanUps.push(await this.keepClean(name, files, { retained, quota, clock, inS3 }));
    }
    const asOf = viewsOf(measured, files, asOfMs);
    const needsMirror = this.options.sweeps || store.mirror?.readFallback === true;
    const mirror = needsMirror ? await openMirror(store, { ...needs, host, user }, log) : undefined;
    if (mirror) cleanUps.push(() => mirror.store.close());
    const answered = (ref: ObjectRef, loss: Loss): void => {
      observer?.readFromMirror();
      this.options.mirrorRead?.(name, ref, loss);
    };
    const falls = store.mirror?.readFallback === true && mirror;
    const served = falls ? new MirroredReads(retained, { mirror: falls.store, answered }) : retained;
    return {
      store: asOfMs === undefined ? served : asOf(asOfMs),
      own: retained,
      backend: files,
      newRecorder: () =>
        recording && puts ? new DigestWriter(recording, { instance, host: host.name, log }) : undefined,
      mirror,
      location: formatLocation(location),
      measuredBytes: quota && ((ctx) => quota.measuredBytes(ctx)),
      freeBytes: async () => files.freeBytes?.(),
      asOf,
      configure: ({ quotaBytes, retentionMs, trashMs, trustsClock }) => {
        if (quota && quotaBytes !== undefined) quota.maxBytes = quotaBytes;
        retained.times = { retentionMs, trashMs };
        this.trusted = trustsClock ? (this.trusted ?? instantOf(machineClocks)) : undefined;
        clock.trusted = this.trusted;
      },
    };
  }

  /** Cleans a store up periodically, if this process is the one that does. Resolves to a function that stops it. */
  private async keepClean(
    name: string,
    files: BackendStore,
    {
      retained,
      quota,
      clock,
      inS3,
    }: { retained: Retained; quota: Quota | undefined; clock: RetentionClock; inS3: boolean },
  ): Promise<() => Promise<void>> {
    const { log, sweeps, audit, cleanEveryMs: everyMs = sweepEveryMs } = this.options;
    const sweep = files.sweep?.bind(files);
    if (!sweeps || sweep === undefined) return async () => undefined;
    const purged = ({ ref }: TrashedObject, bytes: number): void => {
      quota?.purged(bytes);
      audit?.record(ownEntry(name, { operation: 'purge', ...ref, outcome: 'deleted' }));
    };
    let purgedMs = -Infinity;
    const purgeTrash = async (ctx: OpContext): Promise<void> => {
      const { trash } = files;
      const { trashMs } = retained.times;
      const nowMs = performance.now();
      if (trash === undefined || nowMs - purgedMs < (trash.purgeEveryMs ?? 0)) return;
      purgedMs = nowMs;
      await purge({ name, log, trash, trashMs, clock, purged }, ctx);
    };
    return sweepPeriodically({ sweep, purge: purgeTrash }, { log, everyMs, inS3 });
  }
}

function quotaOf(
  measured: Store,
  { quotaBytes, quotaIncludesTrash, trashMs }: StoreConfig,
  { trash, ...options }: QuotaOptions,
): Quota | undefined {
  if (quotaBytes === undefined) return undefined;
  if (!quotaIncludesTrash) return new Quota(measured, quotaBytes, options);
  return new Quota(measured, quotaBytes, { ...options, trash, keepsDeleted: trashMs > 0 });
}
