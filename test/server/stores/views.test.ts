import { expect } from 'chai';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../../src/auth/tokens.js';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import type { Settings } from '../../../src/config/config.js';
import type { ObjectKind, ObjectRef } from '../../../src/core/object.js';
import type { Store } from '../../../src/core/store.js';
import type { ClientOptions } from '../../support/client-options.js';
import { host, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { GrpcStore } from '../../support/grpc-store.js';
import { HttpV10Store } from '../../support/http-v1.0-store.js';
import { HttpStore } from '../../support/http-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { PlakarStore } from '../../support/plakar-store.js';
import { ctx, expectFailure, failure, getAll, listAll, putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

const dayMs = 86_400_000;
/** A full minute, some days ago. */
const startMs = Math.floor(Date.now() / dayMs) * dayMs - 10 * dayMs;
const day = (n: number): string => new Date(startMs + n * dayMs).toISOString().replace(':00.000Z', 'Z');

/** The objects of the store, by what happened to them. */
interface Objects {
  /** Put on day 1. */
  readonly kept: ObjectRef;
  /** Put on day 1, deleted on day 3. */
  readonly deleted: ObjectRef;
  /** Put on day 5. */
  readonly later: ObjectRef;
}

describe('A view of a store', function () {
  this.timeout(60_000);
  let folder: string;
  let hub: TestGateway;
  /** Has the hub's store, and that store as of day 2. */
  let branch: TestGateway;
  const objects = new Map<ObjectKind, Objects>();

  before(async () => {
    folder = await emptyStore();
    let nowMs = startMs;
    const options = { durable: false, maxObjectBytes: 2 ** 20, host, trashes: true, now: () => nowMs };
    const files = await FileStore.open(new LocalFileSystem(folder), options);
    const put = async (kind: ObjectKind, onDay: number): Promise<ObjectRef> => {
      const ref = newRef(kind);
      await putAll(files, ref, makeObject(kind, 1000, ref.mac));
      const seconds = (startMs + onDay * dayMs) / 1000;
      await utimes(join(folder, `${kind}s`, ref.mac.slice(0, 2), ref.mac), seconds, seconds);
      return ref;
    };
    for (const kind of ['packfile', 'state'] as const) {
      const [kept, deleted] = [await put(kind, 1), await put(kind, 1)];
      nowMs = startMs + 3 * dayMs;
      await files.delete(deleted);
      objects.set(kind, { kept, deleted, later: await put(kind, 5) });
    }
    await files.close();
    const principal = (name: string, access: string) => ({
      tokens: [`sha256:${tokenDigest(name)}`],
      access: { '*': access },
    });
    const principals = { full: principal('full', 'full'), writer: principal('writer', 'write-only') };
    hub = await startTestGateway(undefined, {
      stores: {
        'teams/blue': { location: folder },
        '': { location: folder, anonymous: 'read-only' },
        old: { location: folder, 'as-of': day(2) },
      },
      principals,
    } as Settings);
    const at = `grpc://127.0.0.1:${hub.grpcPort}`;
    branch = await startTestGateway(undefined, {
      stores: { now: { location: at, anonymous: 'full' }, then: { location: `${at}/@${day(2)}`, anonymous: 'full' } },
    });
  });

  after(async () => {
    await branch.close();
    await hub.close();
  });

  const expectDay = async (store: Store, n: number): Promise<void> => {
    for (const kind of ['packfile', 'state'] as const) {
      const { kept, deleted, later } = objects.get(kind) as Objects;
      const present = [n >= 1 && kept, n >= 1 && n < 3 && deleted, n >= 5 && later].filter((each) => each !== false);
      expect(await listAll(store, kind)).to.have.members(present.map(({ mac }) => mac));
      for (const ref of [kept, deleted, later]) {
        if (present.includes(ref)) expect(await getAll(store, ref)).to.deep.equal(makeObject(kind, 1000, ref.mac));
        else
          expect((await failure(store.get(ref, undefined, ctx))).message).to.match(/no (?:packfile|state) .* as of /);
      }
    }
  };

  const full = { authorization: 'Bearer full' };
  const clients: Readonly<
    Record<string, (options: Required<Pick<ClientOptions, 'store'>> & ClientOptions) => Store | Promise<Store>>
  > = {
    HTTP: (options) => new HttpStore(hub.httpPort, options),
    "plakar 1.0's HTTP": (options) => new HttpV10Store(hub.httpPort, options),
    gRPC: (options) => new GrpcStore(hub.grpcPort, options),
    "plakar's gRPC": ({ store, ...options }) =>
      PlakarStore.open(hub.grpcPort, { location: `grpc://gateway/${store}` }, options),
  };
  for (const [protocol, connect] of Object.entries(clients)) {
    it(`has through ${protocol} what the store had at each moment`, async () => {
      for (const store of ['', 'teams/blue']) {
        for (const n of [0, 1, 2.5, 3, 5]) {
          const view = await connect({ store: `${store}@${day(n)}`, ...full });
          await expectDay(view, n);
          await view.close();
        }
      }
    });

    it(`takes nothing through ${protocol}, not even from who may do everything`, async () => {
      const view = await connect({ store: `teams/blue@${day(2)}`, ...full });
      const { kept } = objects.get('state') as Objects;
      const put = await failure(putAll(view, newRef('state'), makeObject('state', 100)));
      const removal = await failure(view.delete(kept, ctx));
      for (const { message } of [put, removal]) expect(message).to.contain(`this is the store as of ${day(2)}`);
      await failure(putAll(view, newRef('lock'), makeObject('lock', 100)));
      await expectDay(view, 2);
      await view.close();
    });
  }

  it('is of a day, or of so long ago', async () => {
    const view = (moment: string): Store => new HttpStore(hub.httpPort, { store: `teams/blue@${moment}`, ...full });
    await expectDay(view(day(2).slice(0, 10)), 2);
    await expectDay(view('1m'), 5);
    await expectDay(view('9d'), 2);
    await expectDay(view(`${24 * 30}h`), 0);
  });

  it('may be what a store is configured to be, of which older ones can be had', async () => {
    const old = new HttpStore(hub.httpPort, { store: 'old', ...full });
    await expectDay(old, 2);
    await expectFailure(putAll(old, newRef('state'), makeObject('state', 100)), 'permission_denied');
    await expectDay(new HttpStore(hub.httpPort, { store: `old@${day(5)}`, ...full }), 2);
    await expectDay(new HttpStore(hub.httpPort, { store: `old@${day(0)}`, ...full }), 0);
  });

  it('is there through a chain of gateways, by the name and by the location', async () => {
    const through = (store: string): Store => new GrpcStore(branch.grpcPort, { store });
    await expectDay(through(`now@${day(2)}`), 2);
    await expectDay(through('now@1m'), 5);
    await expectDay(through('then'), 2);
    const put = putAll(through(`now@${day(2)}`), newRef('state'), makeObject('state', 100));
    expect((await failure(put)).message).to.contain('not allowed');
    await expectFailure(listAll(through(`then@${day(1)}`), 'state'), 'invalid_argument');
  });

  it('is for whoever may read all of the store, and for nobody else', async () => {
    const as = (token: string | undefined, store: string): Store =>
      new GrpcStore(hub.grpcPort, { store, ...(token !== undefined && { authorization: `Bearer ${token}` }) });
    const blue = `teams/blue@${day(2)}`;
    await expectDay(as(undefined, `@${day(2)}`), 2);
    await expectFailure(listAll(as(undefined, blue), 'state'), 'unauthenticated');
    await expectFailure(listAll(as('wrong', blue), 'state'), 'unauthenticated');
    const { message } = await expectFailure(listAll(as('writer', blue), 'state'), 'permission_denied');
    expect(message).to.contain('needs read-only access; yours is write-only');
    // A name that there isn't looks the same with a moment and without.
    const [one, other] = [`teams/green@${day(2)}`, 'teams/green'].map((name) => listAll(as('writer', name), 'state'));
    expect((await failure(one)).message).to.equal((await failure(other)).message);
  });

  it('is of a moment of the past', async () => {
    const ask = async (moment: string): Promise<string> => {
      const headers = full;
      const answer = await fetch(`http://127.0.0.1:${hub.httpPort}/teams/blue@${moment}/resources/states`, { headers });
      return `${answer.status} ${await answer.text()}`;
    };
    for (const moment of ['', 'soon', '2026-02-30', '3d/3d', '@3d', '%00', '..', '-3d', 'x'.repeat(5000)])
      expect(await ask(moment), moment).to.match(/^400 after the @ of a store's name comes a time with its zone/);
    expect(await ask('2999-01-01')).to.match(/^400 2999-01-01T00:00Z is in the future, by the gateway's clock/);
    await expectFailure(
      listAll(new GrpcStore(hub.grpcPort, { store: 'teams/blue@soon', ...full }), 'state'),
      'invalid_argument',
    );
  });
});
