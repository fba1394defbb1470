import { expect } from 'chai';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import type { DigestStorage } from '../../../src/core/digests.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { DigestIndex } from '../../../src/integrity/digest-index.js';
import { checkSegments } from '../../../src/integrity/digest-log.js';
import { OptionalStore } from '../../../src/server/stores/optional-store.js';
import { digestOf, recordOne } from '../../support/digests.js';
import { host, silent, startTestGateway, testConfig, type TestGateway } from '../../support/gateway.js';
import { GrpcStore } from '../../support/grpc-store.js';
import { HttpStore } from '../../support/http-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, eventually, expectFailure, putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

const settings = { digests: 'sha256', 'allow-delete': true } as const;

describe('A gateway that records digests', () => {
  let folder: string;
  let files: FileStore;
  let digests: DigestStorage;
  let gateways: TestGateway[];

  beforeEach(async () => {
    folder = await emptyStore();
    files = await FileStore.open(new LocalFileSystem(folder), { durable: false, maxObjectBytes: 1e6, host });
    ({ digests } = files);
    gateways = [];
  });

  afterEach(async () => {
    for (const gateway of gateways) await gateway.close();
    await files.close();
  });

  async function start(changes: object = {}): Promise<TestGateway> {
    const gateway = await startTestGateway(folder, { ...settings, ...changes });
    gateways.push(gateway);
    return gateway;
  }

  const load = (): Promise<DigestIndex> => DigestIndex.load(digests, ctx);

  it('has recorded what it acknowledges by HTTP and gRPC, beside another gateway on the same store', async () => {
    const [one, two] = [await start({ quota: '1GiB' }), await start()];
    const puts: [ObjectRef, Buffer][] = [];
    const clients = [new HttpStore(one.httpPort), new GrpcStore(two.grpcPort)];
    await Promise.all(
      [0, 1, 2, 3, 4, 5, 6, 7].map(async (i) => {
        const ref = newRef(i < 6 ? 'packfile' : 'state');
        const bytes = makeObject(ref.kind, 30_000 + i, ref.mac);
        puts.push([ref, bytes]);
        await putAll(clients[i % 2] ?? new HttpStore(one.httpPort), ref, bytes);
      }),
    );
    const index = await load();
    expect(index.size).to.equal(8);
    for (const [ref, bytes] of puts) expect(index.get(ref)).to.deep.include(digestOf(bytes));
    expect(await digests.list(ctx)).to.have.length(2);
    expect(await checkSegments(digests, ctx)).to.deep.equal([]);
    for (const client of clients) await client.close();
  });

  it('expects objects to be there until a client deletes them', async () => {
    const { httpPort } = await start({ trash: '1d' });
    const client = new HttpStore(httpPort);
    const [ref, other] = [newRef('state'), newRef('state')];
    for (const each of [ref, other]) await putAll(client, each, makeObject('state', 100));
    await client.delete(ref);
    expect([...(await load()).expected('state')]).to.deep.equal([other.mac]);
    await client.close();
  });

  it('does so only where that is set, and begins no segment before the first put', async () => {
    const off = new HttpStore((await start({ digests: undefined })).httpPort);
    await putAll(off, newRef('state'), makeObject('state', 100));
    expect(await readdir(folder)).to.not.include('.kloset-gateway');
    await start();
    expect(await digests.list(ctx)).to.deep.equal([]);
    await off.close();
  });

  it('still records deletes when that is not set any more', async () => {
    const recording = new HttpStore((await start()).httpPort);
    const [ref, other] = [newRef('state'), newRef('state')];
    for (const each of [ref, other]) await putAll(recording, each, makeObject('state', 100));
    const off = new HttpStore((await start({ digests: undefined })).httpPort);
    const unrecorded = newRef('state');
    await putAll(off, unrecorded, makeObject('state', 100));
    await off.delete(ref);
    const index = await load();
    expect([...index.expected('state')]).to.deep.equal([other.mac]);
    expect(index.get(unrecorded)).to.equal(undefined);
    for (const client of [recording, off]) await client.close();
  });

  it('does so from the reload on that sets it', async () => {
    const { gateway, httpPort } = await start({ digests: undefined });
    const client = new HttpStore(httpPort);
    await putAll(client, newRef('state'), makeObject('state', 100));
    await gateway.reload(testConfig({ ...settings, location: folder }));
    const ref = newRef('state');
    await putAll(client, ref, makeObject('state', 100));
    const index = await load();
    expect(index.size).to.equal(1);
    expect(index.get(ref)).to.not.equal(undefined);
    await client.close();
  });

  it('does not start where it could not record them', async () => {
    await writeFile(join(folder, '.kloset-gateway'), 'in the way');
    const failed: unknown = await start().catch((error: unknown) => error);
    expect(String(failed)).to.include(folder).and.include('no digests could be recorded');
    await start({ digests: undefined });
  });

  it('has those of an optional store from when that is open', async () => {
    await rename(folder, `${folder}-unmounted`);
    const open = async (): Promise<FileStore> =>
      FileStore.open(new LocalFileSystem(folder), { durable: true, maxObjectBytes: 1e6, host });
    const store = await OptionalStore.open({ open, info: files.info(), log: silent });
    const { digests: own } = store;
    if (own === undefined) throw new Error('it says that it has no digests');
    await expectFailure(recordOne(own), 'unavailable');
    expect(own.isDurable).to.equal(false);
    await rename(`${folder}-unmounted`, folder);
    await eventually(async () => own.isDurable, 'it is open');
    await recordOne(own);
    expect((await load()).size).to.equal(1);
    await store.close();
  });
});
