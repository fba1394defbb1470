import { expect } from 'chai';
import { GatewayStore } from '../../src/backends/gateway/gateway-store.js';
import { FileStore } from '../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { openSftp } from '../../src/backends/sftp/open-sftp.js';
import type { ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { copyStore } from '../../src/replication/copy.js';
import { host, silent, startTestGateway } from '../support/gateway.js';
import { makeObject, newRef } from '../support/objects.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { ctx, getAll, listAll, putAll } from '../support/store.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { emptyStore } from '../support/temp.js';

const options = { durable: true, maxObjectBytes: 64 * 1024 * 1024, host };

/** How many packfiles and states there are, and how large they are. */
const count = 8;
const size = 1_500_000;

describe('a copy over a line that breaks', function () {
  this.timeout(60_000);
  const closing: (() => Promise<unknown>)[] = [];
  const refs: ObjectRef[] = [];
  let folder: string;
  let source: Store;

  before(async () => {
    folder = await emptyStore();
    source = await openFolder(folder);
    for (let i = 0; i < count; i++) {
      for (const kind of ['packfile', 'state'] as const) {
        const ref = newRef(kind);
        refs.push(ref);
        await putAll(source, ref, makeObject(kind, kind === 'packfile' ? size : 1000, ref.mac));
      }
    }
  });

  after(async () => {
    for (const close of closing.reverse()) await close();
  });

  function openFolder(path: string): Promise<Store> {
    return closed(FileStore.open(new LocalFileSystem(path), options));
  }

  async function closed(opening: Promise<Store>): Promise<Store> {
    const store = await opening;
    closing.push(() => store.close());
    return store;
  }

  /** A gateway for a store, and a client whose connection the result cuts. */
  async function behindGateway(path: string): Promise<{ store: Store; cut: () => void }> {
    const gateway = await startTestGateway(path, { 'allow-write': true });
    const proxy = await TcpProxy.start(gateway.grpcPort);
    closing.push(
      () => gateway.close(),
      () => proxy.close(),
    );
    const store = await closed(GatewayStore.open({ address: `127.0.0.1:${proxy.port}` }));
    return { store, cut: () => proxy.cut() };
  }

  /** Copies, and breaks the line in the middle of every third object. */
  async function copy(from: Store, to: Store, cut: () => unknown): Promise<void> {
    let passed = 0;
    let cuts = 0;
    const progressed = (bytes: number): void => {
      passed += bytes;
      if (passed < (cuts + 0.5) * 3 * size) return;
      cuts++;
      cut();
    };
    const { missing, differing } = await copyStore(from, to, { jobs: 2, pauseMs: 50, on: { progressed } }, ctx);
    expect({ missing: missing.packfile.objects + missing.state.objects, differing }).to.deep.equal({
      missing: 0,
      differing: [],
    });
    expect(cuts).to.be.within(2, 3);
  }

  async function expectCopied(to: Store): Promise<void> {
    for (const ref of refs) expect((await getAll(to, ref)).equals(await getAll(source, ref))).to.equal(true);
    expect(await listAll(to, 'packfile')).to.have.lengthOf(count);
  }

  it('to a gateway ends well', async () => {
    const path = await emptyStore();
    const { store, cut } = await behindGateway(path);
    await copy(source, store, cut);
    await expectCopied(await openFolder(path));
  });

  it('from a gateway ends well', async () => {
    const { store, cut } = await behindGateway(folder);
    const destination = await openFolder(await emptyStore());
    await copy(store, destination, cut);
    await expectCopied(destination);
  });

  it('over SFTP, in both directions, ends well', async function () {
    if (!process.env['CI'] && !hasSshd()) this.skip();
    const sshd = await Sshd.start();
    closing.push(() => sshd.stop());
    const open = async (path: string): Promise<Store> =>
      closed(FileStore.open(await openSftp(sshd.location(path), sshd.options, silent), options));
    const path = await emptyStore();
    await copy(source, await open(path), () => sshd.killConnections());
    await expectCopied(await openFolder(path));
    const back = await openFolder(await emptyStore());
    await copy(await open(path), back, () => sshd.killConnections());
    await expectCopied(back);
  });
});
