import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Policy } from '../../src/access/policy.js';
import { FileStore } from '../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import type { AuditEntry } from '../../src/core/audit.js';
import { canceled } from '../../src/core/errors.js';
import type { Store } from '../../src/core/store.js';
import { Audited } from '../../src/layers/audited.js';
import { Digested } from '../../src/layers/digested.js';
import { Limited } from '../../src/layers/limited.js';
import { Measured } from '../../src/layers/measured.js';
import { MixedGenerations } from '../../src/layers/mixed-generations.js';
import { MirroredReads } from '../../src/layers/mirrored-reads.js';
import { Quota } from '../../src/layers/quota.js';
import { Retained } from '../../src/layers/retained.js';
import { instantOf, machineClocks, RetentionClock } from '../../src/layers/retention-clock.js';
import { CallerLimits } from '../../src/layers/limited.js';
import { OptionalStore } from '../../src/server/stores/optional-store.js';
import { deferred } from '../support/deferred.js';
import { digestWriter } from '../support/digests.js';
import { host, silent } from '../support/gateway.js';
import { MemoryDigests } from '../support/memory-digests.js';
import { MemoryStore } from '../support/memory-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { describeStore, maxObjectBytes, type Target } from './store-suite.js';
import { operations } from './target.js';

/** The limit of concurrent operations: more than a test keeps open, and fewer than it starts at once. */
const maxRequests = 32;

const dayMs = 86_400_000;

/** A layer around a store, and a check that nothing is left running in it. */
interface Layered {
  readonly store: Store;
  readonly expectIdle?: () => void;
}

const layers = {
  limited: (inner: Store): Layered => {
    const limits = new CallerLimits({ maxRequests, maxUploads: 4, queueMs: 60_000 });
    const expectIdle = (): void => void expect(limits.activeCallers, 'callers with permits').to.equal(0);
    return { store: new Limited(inner, limits, 'caller'), expectIdle };
  },
  policy: (inner: Store): Layered => ({
    store: new Policy(inner, { access: 'full', maxAccess: 'full', isLoggedIn: true, canLogIn: true }),
  }),
  audited: (inner: Store): Layered => {
    const entries: AuditEntry[] = [];
    const caller = { principal: 'ann', peer: { listener: 'http', address: '127.0.0.1' } };
    const expectIdle = (): void => {
      for (const { outcome } of entries)
        expect(outcome, 'an outcome where everything is allowed').to.not.equal('refused');
    };
    return {
      store: new Audited(
        inner,
        { record: (entry) => void entries.push(entry), read: () => undefined },
        { caller, store: 'store' },
      ),
      expectIdle,
    };
  },
  'mixed generations': (inner: Store): Layered => ({
    store: new MixedGenerations(inner, { name: 'store', log: silent }),
  }),
  measured: (inner: Store): Layered => {
    let inFlight = 0;
    const observer = {
      isActive: true,
      operation: () => undefined,
      read: () => undefined,
      written: () => undefined,
      uploads: (change: number) => void (inFlight += change),
      reconnected: () => undefined,
      retained: () => undefined,
      readFromMirror: () => undefined,
    };
    const expectIdle = (): void => void expect(inFlight, 'uploads in flight').to.equal(0);
    return { store: new Measured(inner, observer), expectIdle };
  },
  retained: (inner: Store): Layered => {
    // Two days later, everything that the tests delete is old enough.
    const start = instantOf(machineClocks);
    const { wallMs, monotonicMs } = machineClocks;
    const clocks = { wallMs: () => wallMs() + 2 * dayMs, monotonicMs: () => monotonicMs() + 2 * dayMs };
    const clock = new RetentionClock(inner, { name: 'store', log: silent, start, clocks });
    const store = new Retained(inner, clock, { retentionMs: dayMs, trashMs: 0 });
    return { store, expectIdle: () => clock.stop() };
  },
  'mirrored reads': (inner: Store): Layered => {
    const answered = (): void => expect.fail('the mirror is empty');
    return { store: new MirroredReads(inner, { mirror: new MemoryStore(Buffer.alloc(48), 100), answered }) };
  },
  quota: (inner: Store): Layered => ({ store: new Quota(inner, 2 ** 40, { name: 'store', log: silent }) }),
  digested: (inner: Store): Layered => ({
    // Not in the store's folder, where the segment would stay open.
    store: new Digested(inner, { recorder: digestWriter(new MemoryDigests()), name: 'store', log: silent }),
  }),
} as const;

/** A local store with layers, the first one innermost. */
async function openWith(names: readonly (keyof typeof layers)[]): Promise<Target> {
  const folder = await emptyStore();
  const config = await readFile(join(folder, 'CONFIG'));
  let store: Store = await FileStore.open(new LocalFileSystem(folder), { durable: false, maxObjectBytes, host });
  const checks: (() => void)[] = [];
  for (const name of names) {
    const layered = layers[name](store);
    store = layered.store;
    if (layered.expectIdle !== undefined) checks.push(layered.expectIdle);
  }
  const outermost = store;
  const close = async (): Promise<void> => {
    for (const check of checks) check();
    await outermost.close();
  };
  const block = names.includes('limited') ? () => holdAllPermits(outermost) : undefined;
  return { store, folder, config, close, ...(block && { block }) };
}

/** Takes all permits of the caller with uploads of locks, which end at `unblock`. */
async function holdAllPermits(store: Store): ReturnType<NonNullable<Target['block']>> {
  const ended = deferred();
  const uploads = Array.from({ length: maxRequests }, () => {
    const begun = deferred();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield makeObject('lock', 100);
      begun.resolve();
      await ended.promise;
      throw canceled();
    }
    return { begun: begun.promise, over: store.put(newRef('lock'), body(), ctx).catch(() => undefined) };
  });
  await Promise.all(uploads.map(({ begun }) => begun));
  const unblock = async (): Promise<void> => {
    ended.resolve();
    await Promise.all(uploads.map(({ over }) => over));
  };
  return { operations, unblock };
}

for (const name of Object.keys(layers) as (keyof typeof layers)[]) {
  describeStore(`a local store with the layer "${name}"`, () => openWith([name]), { onDisk: true });
}

describeStore(
  'a local store that is optional',
  async () => {
    const target = await openWith([]);
    const info = { access: 'full', durable: true, maxObjectBytes: 0, retentionMs: 0, trashMs: 0 } as const;
    const store = await OptionalStore.open({ open: async () => target.store, info, log: silent });
    return { ...target, store, close: () => store.close() };
  },
  { onDisk: true },
);

describeStore(
  'a local store with all layers',
  () =>
    openWith([
      'measured',
      'quota',
      'digested',
      'mixed generations',
      'retained',
      'mirrored reads',
      'limited',
      'policy',
      'audited',
    ]),
  {
    onDisk: true,
  },
);
