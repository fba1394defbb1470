import { expect } from 'chai';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import { makeTree, treeAt } from '../interop/tree.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { grpcKlosetClients } from '../support/grpc-klosetclient.js';
import { GrpcStore } from '../support/grpc-store.js';
import { ClientFailure } from '../support/klosetclient.js';
import { ReadRangesStore } from '../support/read-ranges-store.js';
import { getAll, listAll } from '../support/store.js';
import { tempFolder } from '../support/temp.js';
import { fingerprint } from '../wire/support/folders.js';

/* Several stores in one gateway, each with its principals, used by plakar's own clients. */

describe("plakar's clients at a gateway of several stores", function () {
  this.timeout(120_000);
  const clientOf = grpcKlosetClients();
  const folders = new Map<string, string>();
  let gateway: TestGateway;
  let tree: string;

  const locations: Readonly<Record<string, (store: string) => string>> = {
    HTTP: (store) => `http://127.0.0.1:${gateway.httpPort}/${store}`,
    'gRPC over TCP': (store) => `grpc://127.0.0.1:${gateway.grpcPort}/${store}`,
    'the plugin': (store) => `plugin://grpc://127.0.0.1:${gateway.grpcPort}/${store}`,
  };
  const ways = Object.entries(locations);

  before(async () => {
    for (const name of ['teams/blue', 'teams/green']) {
      const folder = join(await tempFolder(), 'store');
      await clientOf(folder).create();
      folders.set(name, folder);
    }
    tree = join(await tempFolder(), 'tree');
    await mkdir(tree);
    await makeTree(tree, 'stores');
    const tokens = (name: string): string[] => [`sha256:${tokenDigest(name)}`];
    gateway = await startTestGateway(undefined, {
      stores: Object.fromEntries([...folders].map(([name, location]) => [name, { location }])),
      principals: {
        'web-1': { tokens: tokens('web-1'), access: { 'teams/blue': 'append' } },
        auditor: { tokens: tokens('auditor'), access: { '*': 'read-only' } },
      },
    });
  });

  after(() => gateway.close());

  for (const [way, locate] of ways) {
    it(`back up into the store that the location names, and into no other, through ${way}`, async () => {
      const others = fingerprint(folders.get('teams/green') ?? '');
      const client = clientOf(locate('teams/blue'), { authToken: 'web-1' });
      const { errors, lockError } = await client.backup(tree);
      expect({ errors, lockError }).to.deep.equal({ errors: 0, lockError: undefined });
      expect(await client.objects('lock')).to.deep.equal([]);
      expect(fingerprint(folders.get('teams/green') ?? '')).to.deep.equal(others);
    });
  }

  for (const [way, locate] of ways) {
    it(`read through ${way} what was backed up by each`, async () => {
      const client = clientOf(locate('teams/blue'), { authToken: 'auditor' });
      const snapshots = await client.list();
      expect(snapshots).to.have.length(ways.length);
      const wanted = await treeAt(tree);
      for (const { snapshot } of snapshots) expect(await treeAt(await client.restore(snapshot))).to.deep.equal(wanted);
      expect(await clientOf(locate('teams/green'), { authToken: 'auditor' }).list()).to.deep.equal([]);
    });

    it(`show their users why they are turned away, through ${way}`, async () => {
      const failures = [
        [locate('teams/green'), 'web-1', /store "teams\/green" does not exist, or you have no access to it/],
        [locate('teams/nowhere'), 'web-1', /store "teams\/nowhere" does not exist, or you have no access to it/],
        [locate(''), 'web-1', /the default store does not exist, or you have no access to it/],
        [locate('teams/blue'), 'wrong', /wrong token, or wrong name or password/],
        [locate('teams/blue'), undefined, /store "teams\/blue" requires a login/],
      ] as const;
      for (const [location, authToken, text] of failures) {
        const client = clientOf(location, authToken === undefined ? {} : { authToken });
        expect(await failureOf(client.list()), `${location} ${authToken}`).to.match(text);
      }
      const auditor = clientOf(locate('teams/blue'), { authToken: 'auditor' });
      expect(await failureOf(auditor.putLock())).to.match(/not allowed to put locks/);
    });
  }

  it('put what our own API gives under the same name, whole and by ranges', async () => {
    const options = { store: 'teams/blue', authorization: 'Bearer auditor' };
    const [grpc, ranges] = [new GrpcStore(gateway.grpcPort, options), new ReadRangesStore(gateway.grpcPort, options)];
    const macs = await listAll(grpc, 'packfile');
    expect(macs.length).to.be.at.least(ways.length);
    for (const mac of macs) {
      const ref = { kind: 'packfile', mac } as const;
      const bytes = await getAll(grpc, ref);
      expect((await getAll(ranges, ref)).equals(bytes)).to.equal(true);
      expect((await getAll(ranges, ref, { offset: 10, length: 20 })).equals(bytes.subarray(10, 30))).to.equal(true);
    }
    await Promise.all([grpc.close(), ranges.close()]);
  });
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
