import { expect } from 'chai';
import fc from 'fast-check';
import type { ObjectRef } from '../../src/core/object.js';
import type { ObjectRead, OpContext, PutResult, Store } from '../../src/core/store.js';
import { Layer } from '../../src/layers/layer.js';
import { Limited } from '../../src/layers/limited.js';
import { CallerLimits, type LimitsPerCaller } from '../../src/layers/limited.js';
import { MemoryStore } from '../support/memory-store.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';

const defaults: LimitsPerCaller = { maxRequests: 3, maxUploads: 1, queueMs: 0 };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A body that doesn't end before `end` is called. */
function openBody(): { body: AsyncIterable<Uint8Array>; end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  async function* body(): AsyncGenerator<Uint8Array> {
    yield makeObject('packfile', 100);
    await ended;
  }
  return { body: body(), end };
}

describe('Limited', () => {
  let limits: CallerLimits;
  let inner: MemoryStore;
  let store: Store;

  const makeStore = (over: Partial<LimitsPerCaller> = {}): void => {
    limits = new CallerLimits({ ...defaults, ...over });
    store = new Limited(inner, limits, 'caller');
  };

  beforeEach(() => {
    inner = new MemoryStore(Buffer.alloc(48), 1e6);
    makeStore();
  });

  async function packfile(): Promise<ObjectRef> {
    const ref = newRef('packfile');
    await putAll(inner, ref, makeObject('packfile', 100));
    return ref;
  }

  it('holds a permit for a get until its bytes are released', async () => {
    const ref = await packfile();
    const reads: ObjectRead[] = [];
    for (let i = 0; i < 3; i++) reads.push(await store.get(ref, undefined, ctx));
    const { message } = await expectFailure(store.get(ref, undefined, ctx), 'too_many_requests');
    expect(message).to.include('too many requests at once: the limit for each caller is 3');
    reads.pop()?.release();
    expect((await getAll(store, ref)).length).to.equal(100);
    for (const read of reads) read.release();
    expect(limits.activeCallers).to.equal(0);
  });

  it("passes a get's bytes on as they are", async () => {
    const ref = await packfile();
    const read = await inner.get(ref, { offset: 10, length: 20 });
    inner.get = () => Promise.resolve(read);
    const { objectSize, length, data } = await store.get(ref, undefined, ctx);
    expect({ objectSize, length }).to.deep.equal({ objectSize: 100, length: 20 });
    expect(data).to.equal(read.data);
  });

  it('holds a permit for a list from its first batch until it ends, also early', async () => {
    makeStore({ maxRequests: 1 });
    const ref = await packfile();
    const list = store.list('packfile', ctx);
    await store.stat(ref, ctx);
    for await (const batch of list) {
      expect([...batch]).to.deep.equal([ref.mac]);
      await expectFailure(store.config(ctx), 'too_many_requests');
      break;
    }
    await store.config(ctx);
    expect(await listAll(store, 'packfile')).to.deep.equal([ref.mac]);
    await store.stat(ref, ctx);
    expect(limits.activeCallers).to.equal(0);
  });

  it('lets lists with details end, however many run at once', async () => {
    const ref = await packfile();
    const lists = [1, 2, 3].map(async () => {
      const own = { signal: new AbortController().signal };
      for await (const batch of store.list('packfile', own)) {
        await turn();
        for (const mac of batch) expect((await store.stat({ kind: 'packfile', mac }, own)).size).to.equal(100);
        await turn();
      }
    });
    await turn();
    await expectFailure(store.stat(ref, ctx), 'too_many_requests');
    await Promise.all(lists);
    expect(limits.activeCallers).to.equal(0);
  });

  it('releases the permit whether an operation succeeds or fails', async () => {
    makeStore({ maxRequests: 1 });
    const none = newRef('state');
    for (let i = 0; i < 3; i++) {
      await expectFailure(store.get(none, undefined, ctx), 'not_found');
      await expectFailure(store.stat(none, ctx), 'not_found');
      await expectFailure(putAll(store, none, Buffer.alloc(100)), 'invalid_argument');
      await store.config(ctx);
      await store.delete(none, ctx);
      expect(await putAll(store, newRef('state'), makeObject('state', 100))).to.equal(true);
    }
    expect(limits.activeCallers).to.equal(0);
  });

  it('limits uploads of packfiles and states, but neither locks nor reads meanwhile', async () => {
    const ref = await packfile();
    const { body, end } = openBody();
    const upload = store.put(newRef('packfile'), body, ctx);
    for (const kind of ['packfile', 'state'] as const) {
      const error = await expectFailure(putAll(store, newRef(kind), makeObject(kind, 100)), 'too_many_requests');
      expect(error.message).to.include('too many uploads at once: the limit for each caller is 1');
    }
    await putAll(store, newRef('lock'), makeObject('lock', 100));
    await getAll(store, ref);
    end();
    await upload;
    await putAll(store, newRef('state'), makeObject('state', 100));
    expect(limits.activeCallers).to.equal(0);
  });

  it('does not let waiting uploads hold up reads', async () => {
    makeStore({ maxRequests: 2, queueMs: 60_000 });
    const ref = await packfile();
    const { body, end } = openBody();
    const uploads = [store.put(newRef('packfile'), body, ctx)];
    for (let i = 0; i < 5; i++) uploads.push(store.put(newRef('state'), inChunks(makeObject('state', 100)), ctx));
    await turn();
    for (let i = 0; i < 5; i++) await getAll(store, ref);
    end();
    expect(await Promise.all(uploads)).to.deep.equal(uploads.map(() => ({ created: true })));
    expect(limits.activeCallers).to.equal(0);
  });

  it('does not hold up one caller for another', async () => {
    makeStore({ maxRequests: 1 });
    const ref = await packfile();
    const read = await store.get(ref, undefined, ctx);
    await new Limited(inner, limits, 'other').stat(ref, ctx);
    expect(limits.activeCallers).to.equal(1);
    await expectFailure(new Limited(inner, limits, 'caller').stat(ref, ctx), 'too_many_requests');
    read.release();
  });

  it('serves waiting operations first in, first out', async () => {
    makeStore({ maxRequests: 1, queueMs: 60_000 });
    const refs = [await packfile(), await packfile()] as const;
    const read = await store.get(refs[0], undefined, ctx);
    const done: string[] = [];
    const waiting = refs.map(async (ref, i) => {
      await store.stat(ref, ctx);
      done.push(String(i));
    });
    await turn();
    expect(done).to.deep.equal([]);
    read.release();
    await Promise.all(waiting);
    expect(done).to.deep.equal(['0', '1']);
  });

  it('refuses an operation that waited too long, and never runs it', async () => {
    makeStore({ maxRequests: 1, queueMs: 5 });
    const ref = await packfile();
    const read = await store.get(ref, undefined, ctx);
    await expectFailure(store.delete(ref, ctx), 'too_many_requests');
    await expectFailure(listAll(store, 'packfile'), 'too_many_requests');
    read.release();
    expect(await listAll(store, 'packfile')).to.deep.equal([ref.mac]);
    expect(limits.activeCallers).to.equal(0);
  });

  it('forgets a waiting operation whose client goes away', async () => {
    makeStore({ maxRequests: 1, queueMs: 60_000 });
    const ref = await packfile();
    const read = await store.get(ref, undefined, ctx);
    const gone = new AbortController();
    const waiting = [
      store.stat(ref, gone),
      store.get(ref, undefined, gone),
      store.put(newRef('state'), inChunks(makeObject('state', 100)), gone),
    ];
    await turn();
    gone.abort();
    read.release();
    for (const result of waiting) await expectFailure(result, 'canceled');
    expect(limits.activeCallers).to.equal(0);
    await store.put(newRef('state'), inChunks(makeObject('state', 100)), ctx);
  });

  it('applies new limits at once, also to waiting operations', async () => {
    makeStore({ maxRequests: 1, queueMs: 60_000 });
    const ref = await packfile();
    const reads = [await store.get(ref, undefined, ctx)];
    const waiting = store.get(ref, undefined, ctx);
    limits.setLimits({ ...defaults, maxRequests: 2 });
    reads.push(await waiting);
    limits.setLimits({ ...defaults, maxRequests: 1 });
    reads.pop()?.release();
    await expectFailure(store.stat(ref, ctx), 'too_many_requests');
    reads.pop()?.release();
    await store.stat(ref, ctx);
    expect(limits.activeCallers).to.equal(0);
  });

  it('never exceeds the limits, and holds no permit in the end, in any mix of operations', async () => {
    const operation = fc.record({
      caller: fc.constantFrom('a', 'b'),
      what: fc.constantFrom('get', 'stat', 'list', 'put', 'lock', 'delete'),
      givesUp: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const counting = new CountingStore(inner);
        const shared = new CallerLimits({ maxRequests: 3, maxUploads: 2, queueMs: 60_000 });
        const ref = await packfile();
        await Promise.allSettled(
          operations.map(async ({ caller, what, givesUp }) => {
            const limited = new Limited(counting.for(caller), shared, caller);
            const gone = new AbortController();
            const done = run(limited, what, ref, gone);
            if (givesUp) gone.abort();
            await done;
          }),
        );
        expect(counting.most.requests).to.be.at.most(3);
        expect(counting.most.uploads).to.be.at.most(2);
        expect(shared.activeCallers).to.equal(0);
      }),
      { numRuns: 50 },
    );
  });
});

async function run(store: Store, what: string, ref: ObjectRef, context: OpContext): Promise<void> {
  if (what === 'get') (await store.get(ref, undefined, context)).release();
  if (what === 'stat') await store.stat(ref, context);
  if (what === 'list') for await (const batch of store.list('packfile', context)) void batch;
  if (what === 'put') await store.put(newRef('state'), inChunks(makeObject('state', 100)), context);
  if (what === 'lock') await store.put(newRef('lock'), inChunks(makeObject('lock', 100)), context);
  if (what === 'delete') await store.delete(newRef('state'), context);
}

/** Counts the most operations of each caller that run at once; each takes at least one iteration of the event loop. */
class CountingStore {
  readonly most = { requests: 0, uploads: 0 };

  constructor(private readonly inner: Store) {}

  for(caller: string): Store {
    const counts = (this.counts[caller] ??= { requests: 0, uploads: 0 });
    const during = async <T>(isUpload: boolean, work: () => Promise<T>): Promise<T> => {
      counts.requests++;
      if (isUpload) counts.uploads++;
      this.most.requests = Math.max(this.most.requests, counts.requests);
      this.most.uploads = Math.max(this.most.uploads, counts.uploads);
      await turn();
      try {
        return await work();
      } finally {
        counts.requests--;
        if (isUpload) counts.uploads--;
      }
    };
    return new (class extends Layer {
      override stat(ref: ObjectRef, context: OpContext) {
        return during(false, () => super.stat(ref, context));
      }
      override get(ref: ObjectRef, _range: undefined, context: OpContext): Promise<ObjectRead> {
        return during(false, async () => super.get(ref, undefined, context));
      }
      override delete(ref: ObjectRef, context: OpContext) {
        return during(false, () => super.delete(ref, context));
      }
      override put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, context: OpContext): Promise<PutResult> {
        return during(ref.kind !== 'lock', () => super.put(ref, body, context));
      }
    })(this.inner);
  }

  private readonly counts: Record<string, { requests: number; uploads: number }> = {};
}
