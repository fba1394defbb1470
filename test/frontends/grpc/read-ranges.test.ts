import { expect } from 'chai';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ReadRangesRequest, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';
import { canceled, StoreError } from '../../../src/core/errors.js';
import type { ObjectRead } from '../../../src/core/store.js';
import type { CallContext } from '../../../src/frontends/grpc/call.js';
import { readRanges, readsOf } from '../../../src/frontends/grpc/read-ranges.js';
import { Requests } from '../../../src/frontends/requests.js';
import { wireRef } from '../../support/grpc-store.js';
import { MemoryStore } from '../../support/memory-store.js';
import { newRef } from '../../support/objects.js';
import { eventually, expectFailure } from '../../support/store.js';

const KiB = 1024;
const ref = wireRef(newRef('packfile'));

/** A read of `length` bytes. Its tag is its offset, by which the tests know it again. */
const read = (tag: number, length = 10) => ({ tag: BigInt(tag), ref, range: { offset: BigInt(tag), length } });
const alone = (tag: number, length = 10): ReadRangesRequest => ({ store: '', ...read(tag, length), reads: [] });
const together = (...reads: ReadRangesRequest['reads']): ReadRangesRequest => ({
  store: '',
  tag: 0n,
  ref: undefined,
  range: undefined,
  reads,
});

async function* messages(...all: ReadRangesRequest[]): AsyncGenerator<ReadRangesRequest> {
  yield* all;
}

/** Its reads end when the test says so. */
class PausedStore extends MemoryStore {
  readonly begun: number[] = [];
  private readonly ends = new Map<number, (error?: Error) => void>();

  constructor() {
    super(Buffer.alloc(100), 1000);
  }

  override async get(_ref: unknown, range: { offset: number; length: number } | undefined): Promise<ObjectRead> {
    const { offset = 0, length = 0 } = range ?? {};
    this.begun.push(offset);
    await new Promise<void>((resolve, reject) => {
      this.ends.set(offset, (error) => (error === undefined ? resolve() : reject(error)));
    });
    return { objectSize: 1, length, data: Buffer.alloc(length), release: () => undefined };
  }

  end(...offsets: number[]): void {
    for (const offset of offsets) this.ends.get(offset)?.();
  }

  fail(offset: number, error: Error): void {
    this.ends.get(offset)?.(error);
  }

  /** Waits until `count` reads have begun, and then sees that no more do. */
  async untilBegun(count: number): Promise<void> {
    await eventually(async () => this.begun.length === count, `${count} reads have begun`);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(this.begun).to.have.length(count);
  }
}

describe('The reads of a ReadRanges call', () => {
  let store: PausedStore;
  let answers: Map<number, string | undefined>;
  let ended: AbortController;

  beforeEach(() => {
    store = new PausedStore();
    answers = new Map();
    ended = new AbortController();
  });

  const context = (): CallContext => ({
    signal: ended.signal,
    connection: { peer: { listener: 'test', address: '' } },
    storeOf: () => store,
    record: new Requests([]).start('grpc', '', '', ''),
    report: (error) => StoreError.from(error),
  });

  const send = async (message: ReadRangesResponse): Promise<void> => {
    ended.signal.throwIfAborted();
    const all = message.answers.length === 0 ? [message] : message.answers;
    for (const { tag, error } of all) answers.set(Number(tag), error?.errorCode);
  };

  const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

  it('run 32 at a time, and the next one when one ends, of one message or of many', async () => {
    for (const requests of [
      messages(...numbers(40).map((tag) => alone(tag))),
      messages(
        together(...numbers(20).map((tag) => read(tag))),
        together(),
        together(...numbers(20, 20).map((tag) => read(tag))),
      ),
    ]) {
      store = new PausedStore();
      const all = readRanges(requests, send, context());
      await store.untilBegun(32);
      store.end(5);
      await store.untilBegun(33);
      store.end(...numbers(40));
      await eventually(async () => store.begun.length >= 40, 'all have begun');
      store.end(...numbers(40));
      await all;
    }
  });

  it('count for several where they are large', async () => {
    const large = 256 * KiB;
    const all = readRanges(messages(together(...numbers(6).map((tag) => read(tag, large)))), send, context());
    await store.untilBegun(4);
    store.end(0);
    await store.untilBegun(5);
    store.end(...numbers(6));
    await store.untilBegun(6);
    store.end(5);
    await all;
  });

  it('are answered with their own error where they fail, and the others go on', async () => {
    const all = readRanges(messages(alone(1), alone(2), { ...alone(3), range: undefined }), send, context());
    await store.untilBegun(2);
    store.fail(1, new StoreError('too_many_requests', 'later'));
    store.end(2);
    await all;
    expect([1, 2, 3].map((tag) => answers.get(tag))).to.deep.equal([
      'too_many_requests',
      undefined,
      'invalid_argument',
    ]);
  });

  it('have all ended when the call fails as the client has gone, and no more begin', async () => {
    const all = readRanges(messages(...numbers(40).map((tag) => alone(tag))), send, context());
    let failed = false;
    const outcome = expectFailure(all, 'canceled').then(() => (failed = true));
    await store.untilBegun(32);
    ended.abort(canceled());
    store.end(...numbers(31));
    await store.untilBegun(32);
    expect(failed).to.equal(false);
    store.end(31);
    await outcome;
  });

  it('have all ended when the call fails with what its messages threw', async () => {
    async function* broken(): AsyncGenerator<ReadRangesRequest> {
      yield alone(1);
      throw canceled();
    }
    let failed = false;
    const outcome = expectFailure(readRanges(broken(), send, context()), 'canceled').then(() => (failed = true));
    await store.untilBegun(1);
    expect(failed).to.equal(false);
    store.end(1);
    await outcome;
  });

  it('may be none', () => readRanges(messages(), send, context()));

  it('are one of a message, or several, or both', () => {
    const tags = (message: ReadRangesRequest) => readsOf(message).map(({ tag, shares }) => [Number(tag), shares]);
    expect(tags(alone(1))).to.deep.equal([[1, false]]);
    expect(tags(together(read(2), read(3)))).to.deep.equal([
      [2, true],
      [3, true],
    ]);
    expect(tags({ ...alone(1), reads: [read(2)] })).to.deep.equal([
      [1, false],
      [2, true],
    ]);
    // A read that lacks everything is answered with what it lacks.
    expect(tags(together())).to.deep.equal([[0, false]]);
  });
});
