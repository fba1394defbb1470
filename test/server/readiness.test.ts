import { expect } from 'chai';
import { StoreError } from '../../src/core/errors.js';
import { ReadinessCheck, type CheckedStore, type ReadinessCheckOptions } from '../../src/server/readiness.js';
import type { LogLine } from '../support/gateway.js';
import { deferred } from '../support/deferred.js';
import { MemoryStore } from '../support/memory-store.js';
import { makeObject } from '../support/objects.js';

/** A store that answers, or as it is told to. */
class Asked extends MemoryStore {
  times = 0;
  answer: (signal: AbortSignal) => Promise<void> = async () => undefined;

  constructor() {
    super(makeObject('packfile', 100, 'config'), 1000);
  }

  override async config({ signal }: { signal: AbortSignal } = new AbortController()): Promise<Uint8Array> {
    this.times++;
    await this.answer(signal);
    return super.config();
  }

  fail(): void {
    this.answer = async () => Promise.reject(new StoreError('unavailable', "it can't be reached"));
  }
}

describe('Whether a gateway is ready', () => {
  let log: LogLine[];

  beforeEach(() => (log = []));

  function checkOf(stores: readonly CheckedStore[], more: Partial<ReadinessCheckOptions> = {}): ReadinessCheck {
    const logger = (level: string) => (fields: object, message: string) => void log.push({ level, message, ...fields });
    const all = { info: logger('info'), warn: logger('warn'), error: logger('error') };
    return new ReadinessCheck({ stores: () => stores, isStopping: () => false, log: all, freshMs: 0, ...more });
  }

  const named = (name: string, store: Asked, isOptional = false): CheckedStore => ({
    name,
    opened: { store },
    isOptional,
  });

  async function isReady(...stores: readonly CheckedStore[]): Promise<boolean> {
    return (await checkOf(stores).readiness()).isReady;
  }

  it('depends on every store that is not optional, and on one of them where all are', async () => {
    const [good, bad] = [new Asked(), new Asked()];
    bad.fail();
    expect(await isReady(named('a', good))).to.equal(true);
    expect(await isReady(named('a', good), named('b', bad))).to.equal(false);
    expect(await isReady(named('a', good), named('b', bad, true))).to.equal(true);
    expect(await isReady(named('a', bad, true))).to.equal(false);
    expect(await isReady(named('a', good, true), named('b', bad, true))).to.equal(true);
  });

  it('says of each store why it does not answer, and logs when the answer changes', async () => {
    const store = new Asked();
    const check = checkOf([named('blue', store)]);
    store.fail();
    for (let i = 0; i < 3; i++) {
      const { stores } = await check.readiness();
      expect(stores).to.deep.equal([{ name: 'blue', isOptional: false, problem: "it can't be reached" }]);
    }
    store.answer = async () => undefined;
    expect(await check.readiness()).to.deep.equal({ isReady: true, stores: [{ name: 'blue', isOptional: false }] });
    expect(log.map(({ level, message }) => `${level}: ${message}`)).to.deep.equal([
      "warn: not ready, so /readyz answers 503: blue: it can't be reached",
      'info: ready again: the stores answer',
    ]);
  });

  it('asks a store once for callers that come at once, or soon after each other', async () => {
    const store = new Asked();
    const check = checkOf([named('', store)], { freshMs: 60_000 });
    await Promise.all(Array.from({ length: 50 }, () => check.readiness()));
    await check.readiness();
    expect(store.times).to.equal(1);
  });

  it('does not wait for a store that hangs, cancels the question, and asks no second one before the first has ended', async () => {
    const store = new Asked();
    const { promise, resolve } = deferred();
    let asked: AbortSignal | undefined;
    store.answer = (signal) => {
      asked = signal;
      return promise;
    };
    const check = checkOf([named('', store)], { limitMs: 5 });
    for (let i = 0; i < 3; i++) expect((await check.readiness()).isReady).to.equal(false);
    expect([store.times, asked?.aborted]).to.deep.equal([1, true]);
    resolve();
    await promise;
    store.answer = async () => undefined;
    expect((await check.readiness()).isReady).to.equal(true);
  });
});
