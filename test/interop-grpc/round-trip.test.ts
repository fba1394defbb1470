import { expect } from 'chai';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTree, treeAt } from '../interop/tree.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { grpcKlosetClients } from '../support/grpc-klosetclient.js';
import { ClientFailure, type KlosetClient } from '../support/klosetclient.js';
import { makeObject, newRef } from '../support/objects.js';
import { tempFolder } from '../support/temp.js';

/* plakar's own client of its gRPC storage protocol: over TCP, over the plugin's stdin and stdout, and what each wrote read by the others. */

describe("plakar's gRPC client code", function () {
  this.timeout(120_000);
  const clientOf = grpcKlosetClients();
  const gateways: TestGateway[] = [];
  let store: string;
  let tree: string;
  const ways = new Map<string, () => KlosetClient>();

  before(async () => {
    store = join(await tempFolder(), 'store');
    await clientOf(store).create();
    tree = join(await tempFolder(), 'tree');
    await mkdir(tree);
    await makeTree(tree, 'grpc');
    const gateway = await startTestGateway(store, { 'allow-write': true });
    gateways.push(gateway);
    ways.set('TCP', () => clientOf(`grpc://127.0.0.1:${gateway.grpcPort}`));
    ways.set('the plugin, on a local folder', () => clientOf(`plugin://${store}`));
    ways.set('the plugin, and a gateway', () => clientOf(`plugin://grpc://127.0.0.1:${gateway.grpcPort}`));
    ways.set('HTTP', () => clientOf(`http://127.0.0.1:${gateway.httpPort}`));
  });

  after(() => Promise.all(gateways.map((gateway) => gateway.close())));

  for (const way of ['TCP', 'the plugin, on a local folder', 'the plugin, and a gateway']) {
    it(`backs up over ${way}, and leaves no lock`, async () => {
      const { errors, lockError } = await client(way).backup(tree);
      expect({ errors, lockError }).to.deep.equal({ errors: 0, lockError: undefined });
      expect(await client(way).objects('lock')).to.deep.equal([]);
    });
  }

  for (const way of ['TCP', 'the plugin, on a local folder', 'the plugin, and a gateway', 'HTTP']) {
    it(`checks and restores over ${way} what was backed up over each`, async () => {
      const snapshots = await client(way).list();
      expect(snapshots).to.have.length(3);
      expect(await client(way).check()).to.equal(3);
      const wanted = await treeAt(tree);
      for (const { snapshot } of snapshots)
        expect(await treeAt(await client(way).restore(snapshot))).to.deep.equal(wanted);
    });
  }

  for (const way of ['TCP', 'the plugin, and a gateway']) {
    it(`shows why it is refused, over ${way}, also for an upload that is large`, async () => {
      const file = join(await tempFolder(), 'object');
      const { mac } = newRef('packfile');
      await writeFile(file, makeObject('packfile', 12 * 1024 ** 2, 'one'));
      await client(way).put('packfile', mac, file);
      await writeFile(file, makeObject('packfile', 12 * 1024 ** 2, 'two'));
      expect(await failureOf(client(way).put('packfile', mac, file))).to.include('other bytes is stored already');
      await writeFile(file, Buffer.concat([Buffer.alloc(100), await readFile(file)]));
      expect(await failureOf(client(way).put('packfile', newRef('packfile').mac, file))).to.include('not a packfile');
      const refused = await failureOf(client(way).delete('packfile', mac));
      expect(refused).to.match(/not allowed to delete packfiles: your access to this store is append/);
    });
  }

  it('shows why no store is opened', async () => {
    const { grpcPort } = gateways[0] ?? { grpcPort: 0 };
    const wrong = [
      [`grpc://127.0.0.1:${grpcPort}/other`, /no store "other" here/],
      [`plugin://grpc://127.0.0.1:${grpcPort}/other`, /no store "other" here/],
      ['plugin:///nonexistent', /is not a Kloset store: there is no file \/nonexistent\/CONFIG/],
      ['plugin://grpc://', /a gateway's location is grpc\[s\]:\/\/host/],
      ['plugin://grpc://127.0.0.1:1', /can't be opened/],
    ] as const;
    for (const [location, text] of wrong) expect(await failureOf(clientOf(location).list()), location).to.match(text);
  });

  function client(way: string): KlosetClient {
    const make = ways.get(way);
    if (make === undefined) throw new Error(way);
    return make();
  }
});

async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ClientFailure) return error.message;
    throw error;
  }
  throw new Error('it succeeded, and should have failed');
}
