import { StoreError } from '../../src/core/errors.js';
import { MacBatch } from '../../src/core/mac-batch.js';
import type { ObjectKind, ObjectRef } from '../../src/core/object.js';
import { clip, type ByteRange } from '../../src/core/range.js';
import { verifiedObject } from '../../src/core/serialized-object.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../src/core/store.js';

/** The contract in its simplest form: a second opinion on what the conformance suite asks. */
export class MemoryStore implements Store {
  /** How many bytes its objects may have together. */
  capacity = Infinity;
  private readonly objects = new Map<string, { ref: ObjectRef; bytes: Buffer; modifiedMs: number }>();

  constructor(
    private readonly configBytes: Uint8Array,
    private readonly maxObjectBytes: number,
  ) {}

  info(): StoreInfo {
    return { access: 'full', maxObjectBytes: this.maxObjectBytes, durable: false, retentionMs: 0, trashMs: 0 };
  }

  async config(): Promise<Uint8Array> {
    return this.configBytes;
  }

  async *list(kind: ObjectKind): AsyncGenerator<MacBatch> {
    const macs = [...this.objects.values()].filter(({ ref }) => ref.kind === kind).map(({ ref }) => ref.mac);
    if (macs.length > 0) yield MacBatch.of(macs);
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    const { bytes, modifiedMs } = this.find(ref);
    return { size: bytes.length, modifiedMs };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    const { bytes } = this.find(ref);
    const { offset, length } = clip(range, bytes.length);
    const data = bytes.subarray(offset, offset + length);
    return { objectSize: bytes.length, length, data, release: () => undefined };
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of verifiedObject(ref, body, this.maxObjectBytes)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const present = ref.kind === 'lock' ? undefined : this.objects.get(nameOf(ref));
    if (present === undefined) this.add(ref, bytes);
    else if (!present.bytes.equals(bytes)) throw new StoreError('already_exists', 'other bytes are stored');
    return { created: present === undefined };
  }

  async delete(ref: ObjectRef): Promise<void> {
    this.objects.delete(nameOf(ref));
  }

  async close(): Promise<void> {
    this.objects.clear();
  }

  private add(ref: ObjectRef, bytes: Buffer): void {
    const others = [...this.objects].filter(([name]) => name !== nameOf(ref));
    const used = others.reduce((sum, [, object]) => sum + object.bytes.length, 0);
    if (used + bytes.length > this.capacity) throw new StoreError('no_space', 'the memory is full');
    this.objects.set(nameOf(ref), { ref, bytes, modifiedMs: Date.now() });
  }

  private find(ref: ObjectRef): { bytes: Buffer; modifiedMs: number } {
    const object = this.objects.get(nameOf(ref));
    if (object === undefined) throw new StoreError('not_found', `no ${ref.kind} ${ref.mac}`);
    return object;
  }
}

function nameOf({ kind, mac }: ObjectRef): string {
  return `${kind} ${mac}`;
}
