import type { DigestStorage } from '../core/digests.js';
import type { OpContext, Store } from '../core/store.js';
import type { RateLimiter } from '../lib/rate-limiter.js';
import { SerialQueue } from '../lib/serial-queue.js';
import { DigestIndex } from './digest-index.js';
import { openMacs, type NewMac } from './object-mac.js';
import { ObjectReader } from './object-reader.js';
import { SortedMacs } from './sorted-macs.js';
import type { Found, Recorded } from './verdict.js';
import { verifiedKinds, type VerifiedKind, type VerifiedRef } from './verify-report.js';

/** A store with what proves its objects. */
export interface VerifiedStore extends Store {
  /** Where the digests of its objects are recorded. */
  readonly digests?: DigestStorage | undefined;
}

/** One copy of a store: its names, its digests, and its objects. */
export class StoreCopy {
  private readonly reader: ObjectReader;
  private readonly refreshing = new SerialQueue();

  private constructor(
    readonly store: VerifiedStore,
    private recorded: RecordedDigests | undefined,
    private readonly newMac: NewMac | undefined,
    private readonly names: Readonly<Record<VerifiedKind, SortedMacs>>,
    limiter: RateLimiter | undefined,
  ) {
    this.reader = new ObjectReader(store, limiter);
  }

  /** Reads the digests, and then the names. */
  static async open(store: VerifiedStore, limiter: RateLimiter | undefined, ctx: OpContext): Promise<StoreCopy> {
    const newMac = openMacs(await store.config(ctx));
    const recorded = store.digests && (await loaded(store.digests, ctx));
    const names = { packfile: new SortedMacs(), state: new SortedMacs() };
    for (const kind of verifiedKinds) {
      for await (const batch of store.list(kind, ctx)) {
        names[kind].add(batch);
        ctx.signal.throwIfAborted();
      }
    }
    return new StoreCopy(store, recorded, newMac, names, limiter);
  }

  get digests(): DigestIndex | undefined {
    return this.recorded?.index;
  }

  /** Whether MACs are checked, of objects without a digest. */
  get checksMacs(): boolean {
    return this.newMac !== undefined;
  }

  /** Reads the digests again if anything was recorded since they were read. Resolves to whether there are others than these by now. */
  hasNewerDigests(than: DigestIndex | undefined, ctx: OpContext): Promise<boolean> {
    return this.refreshing.run(async () => {
      const { digests } = this.store;
      if (digests !== undefined && this.recorded?.extent !== (await extentOf(digests, ctx)))
        this.recorded = await loaded(digests, ctx);
      return this.digests !== than;
    });
  }

  /** The objects that were listed, in the order of their kinds and MACs, or those that come after one. */
  *refs(last?: VerifiedRef): Generator<VerifiedRef, void, undefined> {
    for (const kind of last === undefined ? verifiedKinds : verifiedKinds.slice(verifiedKinds.indexOf(last.kind))) {
      for (const mac of this.names[kind].after(kind === last?.kind ? last.mac : undefined)) yield { kind, mac };
    }
  }

  has({ kind, mac }: VerifiedRef): boolean {
    return this.names[kind].has(mac);
  }

  recordOf(ref: VerifiedRef): (Recorded & { readonly recordedMs: number }) | undefined {
    const known = this.digests?.get(ref);
    return known && { ...known, matches: (digest) => this.digests?.matches(ref, digest) === true };
  }

  /**
   * Reads an object whole. Where a digest was recorded that proves more than a MAC, and takes a tenth of the time.
   *
   * @param recorded what was recorded of it, here or elsewhere
   * @param startBytes how many bytes of its start are digested by themselves
   */
  read(ref: VerifiedRef, recorded: Recorded | undefined, ctx: OpContext, startBytes?: number): Promise<Found> {
    return this.reader.read(ref, { newMac: recorded === undefined ? this.newMac : undefined, startBytes }, ctx);
  }
}

interface RecordedDigests {
  readonly index: DigestIndex;
  /** What there was of them when they were read. */
  readonly extent: string;
}

async function loaded(storage: DigestStorage, ctx: OpContext): Promise<RecordedDigests> {
  const extent = await extentOf(storage, ctx);
  return { extent, index: await DigestIndex.load(storage, ctx) };
}

/** Tells whether anything was recorded in between. */
async function extentOf(storage: DigestStorage, ctx: OpContext): Promise<string> {
  const segments = await storage.list(ctx);
  return `${segments.length} ${segments.reduce((sum, { size }) => sum + size, 0)}`;
}
