import type { Digest, DigestStorage } from '../core/digests.js';
import { macBytes, macFromBytes, macToBytes, type Mac, type ObjectKind, type ObjectRef } from '../core/object.js';
import type { OpContext } from '../core/store.js';
import { HashTable } from '../lib/hash-table.js';
import { readLog, type DigestEntry, type SegmentProblem } from './digest-log.js';
import { DigestRecords, type KnownDigest } from './digest-records.js';

export type { KnownDigest } from './digest-records.js';

/** By how much the clocks of two gateways may differ, in milliseconds. */
const clockToleranceMs = 3_600_000;

/**
 * All digests that were recorded for a store, in memory: some 100 MB for a million. An object that was deleted and put again may have several, and
 * one that is only known as deleted has none.
 */
export class DigestIndex {
  /** What was found to be wrong with the segments. */
  readonly problems: SegmentProblem[] = [];
  private readonly records = new DigestRecords();
  private readonly table = new HashTable((record) => this.records.nameOf(record), 1 + macBytes);
  private digests = 0;

  /** Reads and checks all segments. */
  static async load(storage: DigestStorage, ctx: OpContext): Promise<DigestIndex> {
    const index = new DigestIndex();
    for await (const { entries, problems } of readLog(storage, ctx)) {
      for (const entry of entries) index.add(entry);
      index.problems.push(...problems);
    }
    return index;
  }

  /** How many digests it has. */
  get size(): number {
    return this.digests;
  }

  /** The digest that was recorded last for an object, also if that was deleted since. One of a put takes precedence over one that was seen. */
  get(ref: ObjectRef): KnownDigest | undefined {
    return this.latest(nameOf(ref))?.known;
  }

  /** Whether this digest was recorded for this object, at any time; one that was seen only if none is known of a put. */
  matches(ref: ObjectRef, digest: Digest): boolean {
    const name = nameOf(ref);
    const record = this.recordOf(name, digest);
    return record !== undefined && this.records.digestOf(record)?.isSeen === this.latest(name)?.known.isSeen;
  }

  /** When an object was deleted last, in milliseconds since 1970-01-01 UTC; undefined if it wasn't, or came back since. */
  deletedMs(ref: ObjectRef): number | undefined {
    for (const record of this.table.find(nameOf(ref))) {
      const deletedMs = this.deletedOf(record);
      if (deletedMs > -Infinity) return deletedMs;
    }
    return undefined;
  }

  /**
   * The objects of a kind that should be in the store: no client has deleted them since they were recorded, nor shortly before, as clocks
   * differ.
   */
  *expected(kind: ObjectKind): Generator<Mac, void, undefined> {
    for (let record = 0; record < this.records.count; record++) {
      const name = this.records.nameOf(record);
      if (name[0] !== kindByte(kind)) continue;
      const latest = this.latest(name);
      if (latest?.record !== record) continue;
      const isDeleted = this.deletedOf(record) > latest.known.recordedMs - clockToleranceMs;
      if (!isDeleted) yield macFromBytes(name.subarray(1));
    }
  }

  private add(entry: DigestEntry): void {
    const name = nameOf(entry.ref);
    const present = [...this.table.find(name)];
    if (!('digest' in entry)) {
      for (const record of present.length > 0 ? present : [this.insert(name, undefined)]) {
        if (entry.type === 'deleted') this.records.deletedAt(record, entry.timeMs);
        else this.records.restoredFrom(record, entry.deletedMs);
      }
      return;
    }
    const known = { ...entry.digest, recordedMs: entry.timeMs, isSeen: entry.type === 'seen' };
    const record = this.recordOf(name, known);
    if (record !== undefined) return this.records.recordedAt(record, entry.timeMs, known.isSeen);
    this.digests++;
    const added = this.insert(name, known);
    const [other] = present;
    if (other === undefined) return;
    this.records.deletedAt(added, this.records.deletedMs(other));
    this.records.restoredFrom(added, this.records.restoredMs(other));
  }

  /** -Infinity if it isn't known to be deleted. */
  private deletedOf(record: number): number {
    const deletedMs = this.records.deletedMs(record);
    return deletedMs > this.records.restoredMs(record) ? deletedMs : -Infinity;
  }

  private insert(name: Buffer, known: KnownDigest | undefined): number {
    const record = this.records.add(name, known);
    this.table.add(record);
    return record;
  }

  private latest(name: Buffer): { readonly record: number; readonly known: KnownDigest } | undefined {
    let latest: { record: number; known: KnownDigest } | undefined;
    for (const record of this.table.find(name)) {
      const known = this.records.digestOf(record);
      if (known !== undefined && (latest === undefined || isLater(known, latest.known))) latest = { record, known };
    }
    return latest;
  }

  private recordOf(name: Buffer, { size, sha256 }: Digest): number | undefined {
    for (const record of this.table.find(name)) {
      const known = this.records.digestOf(record);
      if (known?.size === size && known.sha256.equals(sha256)) return record;
    }
    return undefined;
  }
}

function isLater(one: KnownDigest, other: KnownDigest): boolean {
  return one.isSeen === other.isSeen ? one.recordedMs >= other.recordedMs : other.isSeen;
}

/** An object's kind and MAC. */
function nameOf({ kind, mac }: ObjectRef): Buffer {
  return Buffer.concat([Uint8Array.of(kindByte(kind)), macToBytes(mac)]);
}

function kindByte(kind: ObjectKind): number {
  return kind.charCodeAt(0);
}
