import { StoreError } from '../../src/core/errors.js';
import { MacBatch } from '../../src/core/mac-batch.js';
import type { Mac, ObjectKind, ObjectRef } from '../../src/core/object.js';
import { clip, type ByteRange } from '../../src/core/range.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../src/core/store.js';
import type { Trash, TrashedObject } from '../../src/core/trash.js';

interface Kept {
  readonly ref: ObjectRef;
  readonly bytes: Buffer;
  readonly modifiedMs: number;
}

/** Called before an operation, with its name: to do something meanwhile. */
export type Meanwhile = (operation: 'list' | 'stat' | 'get' | 'list trash') => void;

/**
 * A store in memory with a trash, and a clock that stands still unless it is moved. As a store of files does, it lists a batch for each
 * first two digits of MACs, and the same one while nothing in it has changed.
 */
export class TrashingStore implements Store {
  nowMs = 0;
  meanwhile: Meanwhile = () => undefined;
  /** How often each operation was called. */
  readonly calls = { list: 0, stat: 0, get: 0, 'list trash': 0 };
  private readonly objects = new Map<string, Kept>();
  private readonly trashed = new Map<string, Kept & TrashedObject>();
  private readonly batches = new Map<string, MacBatch>();
  private count = 0;

  readonly trash: Trash = {
    list: () => this.listTrash(),
    version: async () => [...this.trashed.keys()].join(),
    stat: async ({ id }) => statOf(found(this.trashed.get(id))),
    get: async ({ id }, range) => readOf(found(this.trashed.get(id)), range),
    discard: (ref) => this.delete(ref),
    restore: async ({ id }) => this.restore(id),
    remove: async ({ id }) => void this.trashed.delete(id),
  };

  /** What is in the trash now. */
  get inTrash(): TrashedObject[] {
    return [...this.trashed.values()];
  }

  info(): StoreInfo {
    return { access: 'full', maxObjectBytes: 1024, durable: false, retentionMs: 0, trashMs: 1 };
  }

  async config(): Promise<Uint8Array> {
    return Buffer.from('CONFIG');
  }

  async *list(kind: ObjectKind): AsyncGenerator<MacBatch> {
    this.called('list');
    const buckets = new Map<string, Mac[]>();
    for (const { ref } of this.objects.values()) {
      if (ref.kind !== kind) continue;
      const bucket = bucketOf(ref);
      buckets.set(bucket, [...(buckets.get(bucket) ?? []), ref.mac]);
    }
    for (const [bucket, macs] of buckets) {
      const batch = this.batches.get(bucket) ?? MacBatch.of(macs);
      this.batches.set(bucket, batch);
      yield batch;
    }
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    this.called('stat');
    return statOf(found(this.objects.get(nameOf(ref))));
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    this.called('get');
    return readOf(found(this.objects.get(nameOf(ref))), range);
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return { created: this.add(ref, Buffer.concat(chunks)) };
  }

  /** Puts an object at once; false if there is one of its name. */
  add(ref: ObjectRef, bytes: Buffer): boolean {
    if (this.objects.has(nameOf(ref))) return false;
    this.objects.set(nameOf(ref), { ref, bytes, modifiedMs: this.nowMs });
    this.batches.delete(bucketOf(ref));
    return true;
  }

  async delete(ref: ObjectRef): Promise<void> {
    this.discard(ref);
  }

  /** Moves an object to the trash at once. */
  discard(ref: ObjectRef): void {
    const object = this.objects.get(nameOf(ref));
    if (object === undefined) return;
    this.objects.delete(nameOf(ref));
    this.batches.delete(bucketOf(ref));
    const id = String(this.count++);
    this.trashed.set(id, { ...object, id, deletedMs: this.nowMs });
  }

  /** Moves one back at once; false if there is one of its name. */
  restore(id: string): boolean {
    const { ref, bytes, modifiedMs } = found(this.trashed.get(id));
    if (this.objects.has(nameOf(ref))) return false;
    this.trashed.delete(id);
    this.objects.set(nameOf(ref), { ref, bytes, modifiedMs });
    this.batches.delete(bucketOf(ref));
    return true;
  }

  async close(): Promise<void> {
    this.objects.clear();
  }

  private async *listTrash(): AsyncGenerator<TrashedObject> {
    this.called('list trash');
    for (const { ref, id, deletedMs } of [...this.trashed.values()]) yield { ref, id, deletedMs };
  }

  private called(operation: keyof TrashingStore['calls']): void {
    this.calls[operation]++;
    this.meanwhile(operation);
  }
}

function nameOf({ kind, mac }: ObjectRef): string {
  return `${kind}/${mac}`;
}

function bucketOf(ref: ObjectRef): string {
  return nameOf(ref).slice(0, ref.kind.length + 3);
}

function found<T>(object: T | undefined): T {
  if (object === undefined) throw new StoreError('not_found', 'no such object');
  return object;
}

function statOf({ bytes, modifiedMs }: Kept): ObjectStat {
  return { size: bytes.length, modifiedMs };
}

function readOf({ bytes }: Kept, range: ByteRange | undefined): ObjectRead {
  const { offset, length } = clip(range, bytes.length);
  const data = bytes.subarray(offset, offset + length);
  return { objectSize: bytes.length, length, data, release: () => undefined };
}
