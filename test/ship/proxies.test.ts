import { expect } from 'chai';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Store } from '../../src/core/store.js';
import { makeTree, treeAt } from '../interop/tree.js';
import { Authority } from '../support/certificate.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { Http2Store } from '../support/http2-store.js';
import { HttpStore } from '../support/http-store.js';
import { klosetClients, type KlosetClient } from '../support/klosetclient.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { objects, untilClean, untilWriting } from '../wire/support/folders.js';
import { http2Ends } from '../wire/support/http2-ends.js';
import { RawHttp2 } from '../wire/support/raw-http2.js';
import { isInstalled, kinds, Proxy } from './support/proxies.js';

const MiB = 1024 ** 2;
const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = join(root, 'examples/proxies');

type Options = ConstructorParameters<typeof HttpStore>[1];

/** What the proxies are asked by. */
const protocols: readonly (readonly [string, (port: number, options: Options) => Store])[] = [
  ['HTTP/1.1', (port, options) => new HttpStore(port, options)],
  ['HTTP/2', (port, options) => new Http2Store(port, options)],
  ['gRPC', (port, options) => new GrpcStore(port, options)],
];

describe('docs/proxies.md', () => {
  it('shows the files of examples/proxies', async () => {
    const page = await readFile(join(root, 'docs/proxies.md'), 'utf8');
    const files = await readdir(examples, { recursive: true, withFileTypes: true });
    for (const { parentPath, name } of files.filter((file) => file.isFile()))
      expect(page, name).to.include(`\n${await readFile(join(parentPath, name), 'utf8')}\`\`\``);
  });
});

for (const kind of kinds) {
  describe(`${kind.name}, with its file of examples/proxies`, function () {
    this.timeout(120_000);
    const clientOf = klosetClients();
    let authority: Authority;
    let folder: string;
    let gateway: TestGateway | undefined;
    let proxy: Proxy | undefined;

    before(async function () {
      if (!isInstalled(kind)) this.skip();
      authority = await Authority.create();
      const certificate = await authority.issue();
      folder = await emptyStore();
      gateway = await startTestGateway(folder, { 'allow-write': true, 'min-free-space': 0, durability: 'none' });
      proxy = await Proxy.start(kind, gateway, certificate);
    });

    after(async () => {
      await proxy?.stop();
      await gateway?.close();
    });

    function plakar(): KlosetClient {
      return clientOf(`https://localhost:${proxy?.port}`, { authorities: authority.certFile });
    }

    for (const [name, open] of protocols) {
      describe(`over ${name}`, () => {
        let store: Store;

        before(() => {
          store = open(proxy?.port ?? NaN, { tls: { ca: authority.cert } });
        });

        after(() => store.close());

        it('sends on an upload as it arrives, and a range of it back', async () => {
          const ref = newRef('packfile');
          const bytes = makeObject('packfile', 8 * MiB);
          async function* body(): AsyncGenerator<Uint8Array> {
            yield* inChunks(bytes.subarray(0, MiB));
            await untilWriting(folder);
            yield* inChunks(bytes.subarray(MiB));
          }
          await store.put(ref, body(), ctx);
          const range = { offset: 5 * MiB - 1, length: 1000 };
          expect(await getAll(store, ref, range)).to.deep.equal(
            bytes.subarray(range.offset, range.offset + range.length),
          );
          expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
        });

        // Node's client for HTTP/2 ends an upload like a whole one before it cancels it, and writes after it was answered.
        if (name !== 'HTTP/2') {
          it('leaves nothing of an upload that is cut off', async () => {
            const before = await objects(folder);
            async function* body(): AsyncGenerator<Uint8Array> {
              yield* inChunks(makeObject('packfile', 2 * MiB));
              await untilWriting(folder);
              throw new Error('cut off');
            }
            expect(await store.put(newRef('packfile'), body(), ctx).then(String, String)).to.include('cut off');
            await untilClean(folder);
            expect(await objects(folder)).to.have.members(before);
          });

          it('passes on why an upload is refused of which most is still to come', async () => {
            const ref = newRef('packfile');
            await putAll(store, ref, makeObject('packfile', 1000));
            await expectFailure(putAll(store, ref, makeObject('packfile', 16 * MiB, 'other')), 'already_exists');
          });
        }

        it('passes on why the gateway refuses something', async () => {
          const ref = newRef('packfile');
          await putAll(store, ref, makeObject('packfile', 1000));
          const { message } = await expectFailure(store.delete(ref, ctx), 'permission_denied');
          expect(message).to.match(/^not allowed to delete packfiles/);
          expect(await listAll(store, 'packfile')).to.include(ref.mac);
        });
      });
    }

    for (const [how, cutOff] of Object.entries(http2Ends)) {
      it(`leaves nothing of an upload over HTTP/2 whose client ${how}`, async () => {
        const before = await objects(folder);
        const connection = await RawHttp2.connectTls(proxy?.port ?? NaN);
        const path = `/resources/packfiles/${newRef('packfile').mac}`;
        const stream = connection.open('PUT', path, { ':scheme': 'https' });
        await connection.data(stream, makeObject('packfile', 2 * MiB));
        await untilWriting(folder);
        cutOff(connection, stream);
        await untilClean(folder);
        expect(await objects(folder)).to.have.members(before);
        connection.close();
      });
    }

    it("lets plakar's client back up and restore", async () => {
      const tree = join(await tempFolder(), 'tree');
      await mkdir(tree);
      await makeTree(tree, kind.name);
      const { snapshot, errors, lockError } = await plakar().backup(tree);
      expect({ errors, lockError }).to.deep.equal({ errors: 0, lockError: undefined });
      expect(await treeAt(await plakar().restore(snapshot))).to.deep.equal(await treeAt(tree));
    });

    it("takes a packfile of plakar's largest size from its client, and sends it back, or the reason of a refusal", async () => {
      const file = join(await tempFolder(), 'packfile');
      const { mac } = newRef('packfile');
      await writeFile(file, makeObject('packfile', 64 * MiB));
      await plakar().put('packfile', mac, file);
      expect((await plakar().read('packfile', mac, MiB, 63 * MiB)).length).to.equal(63 * MiB);
      await writeFile(file, makeObject('packfile', 64 * MiB, 'other'));
      const conflict = await plakar().put('packfile', mac, file).catch(String);
      expect(conflict).to.include('other bytes is stored already');
      const refused = await plakar().delete('packfile', mac).catch(String);
      expect(refused).to.include('not allowed to delete packfiles');
    });
  });
}
