import type { ObjectKind, ObjectRef } from '../../../src/core/object.js';
import type { ObjectStat } from '../../../src/core/store.js';
import type { Clocks } from '../../../src/layers/retention-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { putAll } from '../../support/store.js';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** A machine's clocks, which only a test moves. */
export class FakeClocks implements Clocks {
  private readonly now = { wall: Date.UTC(2026, 10, 29, 12), monotonic: 5000 };

  wallMs(): number {
    return this.now.wall;
  }

  monotonicMs(): number {
    return this.now.monotonic;
  }

  /** Time goes by. */
  pass(ms: number): void {
    this.now.wall += ms;
    this.now.monotonic += ms;
  }

  /** The wall clock is set. */
  jump(ms: number): void {
    this.now.wall += ms;
  }
}

/** A store whose objects arrive by a test's clocks. */
export class DatedStore extends MemoryStore {
  /** How often objects were looked at. */
  stats = 0;
  private readonly arrivals = new Map<string, number>();

  constructor(private readonly clocks: Clocks) {
    super(Buffer.alloc(48), 1000);
  }

  override async stat(ref: ObjectRef): Promise<ObjectStat> {
    this.stats++;
    return { ...(await super.stat(ref)), modifiedMs: this.arrivals.get(ref.mac) ?? NaN };
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): ReturnType<MemoryStore['put']> {
    const result = await super.put(ref, body);
    if (result.created) this.arrivals.set(ref.mac, this.clocks.wallMs());
    return result;
  }

  /** An object that arrived so long ago. */
  async had(kind: ObjectKind, agoMs: number): Promise<ObjectRef> {
    const ref = newRef(kind);
    await putAll(this, ref, makeObject(kind, 100));
    this.arrivals.set(ref.mac, this.clocks.wallMs() - agoMs);
    return ref;
  }
}
