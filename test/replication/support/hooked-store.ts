import { readFile } from 'node:fs/promises';
import type { MacBatch } from '../../../src/core/mac-batch.js';
import type { Mac, ObjectKind, ObjectRef } from '../../../src/core/object.js';
import type { ByteRange } from '../../../src/core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, StoreInfo } from '../../../src/core/store.js';
import { Layer } from '../../../src/layers/layer.js';
import { MemoryStore } from '../../support/memory-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, putAll } from '../../support/store.js';
import { fixturePath } from '../../support/temp.js';

/** A store in memory, whose operations a test can watch and make fail. */
export class HookedStore extends Layer {
  /** What was called, in order: `put packfile …`. */
  readonly calls: string[] = [];
  /** Runs before an operation; what it throws, the operation fails with. */
  before: (operation: string, ref: ObjectRef) => void | Promise<void> = () => undefined;
  /** Changes what reads give. */
  bytesRead: (ref: ObjectRef, bytes: Uint8Array) => ObjectRead['data'] = (_, bytes) => bytes;
  /** How many reads there are whose receiver isn't done yet. */
  openReads = 0;
  access: StoreInfo['access'] = 'full';
  /** When objects arrived, by their MAC. */
  readonly arrivedMs = new Map<Mac, number>();

  /** An empty store with a real CONFIG. */
  static async create(config?: Uint8Array): Promise<HookedStore> {
    return new HookedStore(new MemoryStore(config ?? (await readFile(fixturePath('CONFIG'))), 1024 * 1024));
  }

  /** Puts a new object. */
  async add(kind: ObjectKind, size = 1000, arrivedMs = 0): Promise<ObjectRef> {
    const ref = newRef(kind);
    await putAll(this.inner, ref, makeObject(kind, size, ref.mac));
    this.arrivedMs.set(ref.mac, arrivedMs);
    return ref;
  }

  /** Puts an object past the hooks. */
  async set(ref: ObjectRef, bytes: Uint8Array): Promise<void> {
    await putAll(this.inner, ref, bytes);
  }

  /** Deletes an object past the hooks. */
  async remove(ref: ObjectRef): Promise<void> {
    await this.inner.delete(ref, ctx);
  }

  /** The operations of a name, as `packfile …`. */
  namesOf(operation: string): string[] {
    return this.calls
      .filter((call) => call.startsWith(`${operation} `))
      .map((call) => call.slice(operation.length + 1));
  }

  override info(): StoreInfo {
    return { ...this.inner.info(), access: this.access };
  }

  override async *list(kind: ObjectKind, context: OpContext): AsyncGenerator<MacBatch, void, undefined> {
    this.calls.push(`list ${kind}`);
    await this.before('list', newRef(kind));
    yield* this.inner.list(kind, context);
  }

  override async stat(ref: ObjectRef, context: OpContext): Promise<ObjectStat> {
    await this.called('stat', ref);
    const stat = await this.inner.stat(ref, context);
    return { ...stat, modifiedMs: this.arrivedMs.get(ref.mac) ?? stat.modifiedMs };
  }

  override async get(ref: ObjectRef, range: ByteRange | undefined, context: OpContext): Promise<ObjectRead> {
    await this.called('get', ref);
    const read = await this.inner.get(ref, range, context);
    this.openReads++;
    const data = this.bytesRead(ref, read.data as Uint8Array);
    return { ...read, data, release: () => void this.openReads-- };
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, context: OpContext): Promise<PutResult> {
    await this.called('put', ref);
    return this.inner.put(ref, body, context);
  }

  private async called(operation: string, ref: ObjectRef): Promise<void> {
    this.calls.push(`${operation} ${nameOf(ref)}`);
    await this.before(operation, ref);
  }
}

export function nameOf({ kind, mac }: ObjectRef): string {
  return `${kind} ${mac}`;
}
