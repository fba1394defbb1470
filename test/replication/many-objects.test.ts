import { expect } from 'chai';
import { MacBatch } from '../../src/core/mac-batch.js';
import type { Mac, ObjectKind } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../src/core/store.js';
import { copyStore } from '../../src/replication/copy.js';
import { memoryInUse } from '../support/memory.js';
import { makeObject } from '../support/objects.js';
import { ctx } from '../support/store.js';

const MB = 1e6;

/** How many packfiles the source has, and how many of them the destination lacks. */
const count = 200_000;
const missing = 5000;

/** A name that is made anew each time, as those of a file server's list are. Different numbers have different ones. */
function nameOf(i: number): Mac {
  const digits = Math.imul(i, 0x9e3779b1) >>> 0;
  return digits.toString(16).padStart(8, '0').repeat(8) as Mac;
}

/** A store with the first of these names, whose objects are all alike. What is put is counted only. */
class NamesOnly implements Store {
  puts = 0;
  /** Called after each stat, with how many there were. */
  statted: (count: number) => void = () => undefined;
  private stats = 0;
  private readonly bytes = makeObject('packfile', 48);

  constructor(private readonly size: number) {}

  info(): StoreInfo {
    return { access: 'full', maxObjectBytes: 1e9, durable: false, retentionMs: 0, trashMs: 0 };
  }

  async config(): Promise<Uint8Array> {
    return new Uint8Array(48);
  }

  async *list(kind: ObjectKind): AsyncGenerator<MacBatch> {
    if (kind !== 'packfile') return;
    for (let start = 0; start < this.size; start += 1000) {
      const length = Math.min(1000, this.size - start);
      yield MacBatch.of(Array.from({ length }, (_, i) => nameOf(start + i)));
    }
  }

  async stat(): Promise<ObjectStat> {
    this.statted(++this.stats);
    return { size: this.bytes.length, modifiedMs: Date.now() + Math.random() };
  }

  async get(_: unknown, range: ByteRange | undefined): Promise<ObjectRead> {
    const data = this.bytes.subarray(0, range?.length);
    return { objectSize: this.bytes.length, length: data.length, data, release: () => undefined };
  }

  async put(_: unknown, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    let size = 0;
    for await (const chunk of body) size += chunk.length;
    expect(size).to.equal(this.bytes.length);
    this.puts++;
    return { created: true };
  }

  async delete(): Promise<void> {
    throw new Error('a copy deletes nothing');
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

describe('a copy of a store with very many objects', function () {
  this.timeout(120_000);

  it('needs some hundred bytes for each at most, whether it lacks all or compares all', async () => {
    const before = memoryInUse();
    const used: number[] = [];
    const look = (): void => void used.push(memoryInUse() - before);
    const source = new NamesOnly(count);
    // All names are in memory then.
    source.statted = (stats) => (stats === count ? look() : undefined);
    const nothing = await copyStore(source, new NamesOnly(0), { dryRun: true, on: { planned: look } }, ctx);
    expect(nothing.missing.packfile).to.deep.equal({ objects: count, bytes: 48 * count });
    const destination = new NamesOnly(count - missing);
    let compared = 0;
    const on = { planned: look, compared: () => (++compared === 100_000 ? look() : undefined) };
    const { copied, present } = await copyStore(source, destination, { compareAll: true, on }, ctx);
    expect([copied.packfile.objects, destination.puts, present.packfile, compared]).to.deep.equal([
      missing,
      missing,
      count - missing,
      count - missing,
    ]);
    expect(used).to.have.lengthOf(4);
    expect(Math.max(...used)).to.be.below(100 * MB);
  });
});
