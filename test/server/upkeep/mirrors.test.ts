import { expect } from 'chai';
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../../src/auth/tokens.js';
import { objectPath } from '../../../src/backends/files/layout.js';
import type { Settings } from '../../../src/config/config.js';
import type { WatchEvent } from '../../../src/core/event.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { admin, statusOf } from '../../interop/status.js';
import { Receiver } from '../../notify/support/receiver.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { GrpcStore } from '../../support/grpc-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { eventually, expectFailure, getAll, putAll } from '../../support/store.js';
import { emptyStore, tempFolder } from '../../support/temp.js';

type StoreSettings = NonNullable<Settings['stores']>[string];

describe('A gateway whose stores have mirrors', function () {
  this.timeout(60_000);
  const token = 'mirror-token';
  let here: string;
  let there: string;
  let receiver: Receiver;
  const open: (() => unknown)[] = [];

  beforeEach(async () => {
    [here, there] = [await emptyStore(), await emptyStore()];
    receiver = await Receiver.start();
    open.push(() => receiver.close());
  });

  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });

  /** A gateway with a store in `here` that has a mirror, which tells of all events. */
  async function startMirroring(mirror: NonNullable<StoreSettings['mirror']>): Promise<TestGateway> {
    const settings: Settings = {
      'admin-listen': ['127.0.0.1:0'],
      'min-free-space': 0,
      stores: { blue: { location: here, anonymous: 'append', mirror } },
      notify: { webhook: { url: `http://${receiver.host}/` }, 'warn-free-space': 0 },
    };
    const mirroringTimes = { settleMs: 50, firstPauseMs: 100, maxPauseMs: 100, retryMs: 20 };
    const gateway = await startTestGateway(undefined, settings, { mirroringTimes });
    open.push(() => gateway.close());
    return gateway;
  }

  /** A gateway with the other copy, which needs the token. */
  async function startOther(access: 'append' | 'read-only', port = 0, its = token): Promise<TestGateway> {
    const gateway = await startTestGateway(there, {
      'grpc-listen': [`127.0.0.1:${port}`],
      'min-free-space': 0,
      principals: { mirror: { tokens: [`sha256:${tokenDigest(its)}`], access: { '': access } } },
    });
    open.push(() => gateway.close());
    return gateway;
  }

  async function tokenFile(): Promise<string> {
    const file = join(await tempFolder(), 'token');
    await writeFile(file, `${token}\n`);
    return file;
  }

  const events = (): WatchEvent[] => receiver.taken.map(({ body }) => JSON.parse(body) as WatchEvent);
  const told = (event: WatchEvent['event']) =>
    eventually(async () => events().find((each) => each.event === event), `the event ${event}`);

  const isComplete = (gateway: TestGateway) =>
    eventually(async () => (await statusOf(gateway)).stores[0]?.mirror?.missingObjects === 0, 'the mirror is complete');

  async function backup(gateway: TestGateway): Promise<readonly [ObjectRef, Buffer][]> {
    const store = new GrpcStore(gateway.grpcPort, { store: 'blue' });
    const objects = (['packfile', 'state'] as const).map(
      (kind) => [newRef(kind), makeObject(kind, 5000, kind)] as [ObjectRef, Buffer],
    );
    for (const [ref, bytes] of objects) await putAll(store, ref, bytes);
    return objects;
  }

  it('have what is put into them at another gateway soon, tell once while that is away, and catch up', async () => {
    const other = await startOther('append');
    const mirror = {
      to: `grpc://127.0.0.1:${other.grpcPort}`,
      every: '1s',
      lag: '2s',
      'token-file': await tokenFile(),
    };
    const gateway = await startMirroring(mirror);
    const copy = new GrpcStore(other.grpcPort, { authorization: `Bearer ${token}` });
    const first = await backup(gateway);
    for (const [ref, bytes] of first)
      expect(await eventually(() => getAll(copy, ref).catch(() => undefined), 'a copy')).to.deep.equal(bytes);
    await isComplete(gateway);
    await other.close();
    await backup(gateway);
    const behind = await told('mirror-behind');
    expect(behind.store).to.equal('blue');
    expect(behind.text).to.match(/^The mirror of blue has been behind for \d s: 2 objects \(9\.8 KiB\) to copy/);
    expect((await statusOf(gateway)).stores[0]?.mirror).to.include({
      direction: 'to',
      isBehind: true,
      missingObjects: 2,
      missingBytes: 10_000,
    });
    expect(await admin(gateway, '/metrics')).to.match(/^kloset_gateway_mirror_behind\{store="blue"\} 1$/m);
    // Its token was replaced meanwhile.
    await writeFile(mirror['token-file'], 'new-token\n');
    await startOther('append', other.grpcPort, 'new-token');
    expect((await told('mirror-caught-up')).text).to.equal('The mirror of blue has caught up.');
    await isComplete(gateway);
    expect(
      events()
        .filter(({ event }) => event.startsWith('mirror'))
        .map(({ event }) => event),
    ).to.deep.equal(['mirror-behind', 'mirror-caught-up']);
    const metrics = await admin(gateway, '/metrics');
    expect(metrics).to.match(/^kloset_gateway_mirror_behind\{store="blue"\} 0$/m);
    expect(metrics).to.match(/^kloset_gateway_mirror_missing_objects\{store="blue"\} 0$/m);
  });

  it('may be mirrors themselves, which are filled from a gateway where the token may only read', async () => {
    const other = await startOther('read-only');
    const from = `grpc://127.0.0.1:${other.grpcPort}`;
    const packfile = newRef('packfile');
    const bytes = makeObject('packfile', 300_000);
    const source = await startTestGateway(there, { 'allow-write': true, 'min-free-space': 0 });
    open.push(() => source.close());
    await putAll(new GrpcStore(source.grpcPort), packfile, bytes);
    const gateway = await startMirroring({ from, every: '1s', lag: '1h', 'token-file': await tokenFile() });
    await isComplete(gateway);
    expect(await getAll(new GrpcStore(gateway.grpcPort, { store: 'blue' }), packfile)).to.deep.equal(bytes);
    expect((await statusOf(gateway)).stores[0]?.mirror).to.include({ direction: 'from', isBehind: false });
  });

  it('answer what is lost from the mirror where that is set, and tell of it', async () => {
    const gateway = await startMirroring({ to: there, every: '1h', 'read-fallback': true });
    const objects = await backup(gateway);
    const copied = async () => (await readdir(join(there, 'states'))).length === 1;
    await eventually(copied, 'the state is mirrored');
    await isComplete(gateway);
    const [[packfile, packed], [state, stated]] = objects as [[ObjectRef, Buffer], [ObjectRef, Buffer]];
    await rm(join(here, objectPath(state)));
    await truncate(join(here, objectPath(packfile)), 100);
    const store = new GrpcStore(gateway.grpcPort, { store: 'blue' });
    expect(await getAll(store, state)).to.deep.equal(stated);
    expect(await getAll(store, packfile, { offset: 90, length: 20 })).to.deep.equal(packed.subarray(90, 110));
    expect((await told('read-from-mirror')).text).to.match(
      new RegExp(`^State ${state.mac} of blue is missing, and was read from the mirror; `),
    );
    expect(await admin(gateway, '/metrics')).to.match(/^kloset_gateway_mirror_reads_total\{store="blue"\} 2$/m);
    await expectFailure(getAll(store, newRef('packfile')), 'not_found');
  });

  it('may be mirrors of each other: what neither has is soon known to be missing', async () => {
    const start = async (location: string, from: number, port = 0): Promise<TestGateway> => {
      const mirror = { from: `grpc://127.0.0.1:${from}`, 'read-fallback': true };
      const gateway = await startTestGateway(undefined, {
        'grpc-listen': [`127.0.0.1:${port}`],
        'min-free-space': 0,
        stores: { '': { location, anonymous: 'append', mirror } },
      });
      open.push(() => gateway.close());
      return gateway;
    };
    const first = await startTestGateway(here);
    const second = await start(there, first.grpcPort);
    await first.close();
    const both = [await start(here, second.grpcPort, first.grpcPort), second];
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 1000);
    for (const [index, { grpcPort }] of both.entries()) {
      const store = new GrpcStore(grpcPort);
      const { grpcPort: other = 0 } = both[1 - index] ?? {};
      const missing = expectFailure(getAll(store, newRef('packfile')), 'not_found').then(() => 'known');
      const tooLong = new Promise((resolve) => setTimeout(resolve, 5000, 'asked for ever').unref());
      expect(await Promise.race([missing, tooLong])).to.equal('known');
      if (index === 0) await putAll(new GrpcStore(other), ref, bytes);
      expect(await getAll(store, ref)).to.deep.equal(bytes);
    }
  });

  it('start without a mirror that is not there, and say how one is made', async () => {
    const gateway = await startMirroring({ to: await tempFolder(), every: '1s', lag: '2s' });
    await backup(gateway);
    expect((await told('mirror-behind')).text).to.include('make it with `kloset-gateway copy --create`');
  });
});
