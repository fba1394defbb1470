import { expect } from 'chai';
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { ClientFailure, klosetClients, type KlosetClient } from '../support/klosetclient.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { makeTree, treeAt } from './tree.js';

/* The locks of plakar's own client code, where callers may write and not delete: on plakar's server they end all backups. */

describe("plakar's client code and its locks", function () {
  this.timeout(60_000);
  const clientOf = klosetClients();
  let gateway: TestGateway;
  let client: KlosetClient;
  const trees: string[] = [];

  before(async () => {
    for (const seed of ['one', 'two']) {
      const tree = join(await tempFolder(), seed);
      await mkdir(tree);
      await makeTree(tree, seed);
      trees.push(tree);
    }
  });

  beforeEach(async () => {
    gateway = await startTestGateway(await emptyStore(), { 'allow-write': true });
    client = clientOf(`http://127.0.0.1:${gateway.httpPort}`);
  });

  afterEach(() => gateway.close());

  it('let two backups run at once, and none is left', async () => {
    const backups = await Promise.all(trees.map((tree) => client.backup(tree)));
    expect(backups.map(({ lockError }) => lockError)).to.deep.equal([undefined, undefined]);
    expect(await client.objects('lock')).to.deep.equal([]);
    expect(await client.check()).to.equal(2);
    for (const [i, { snapshot }] of backups.entries()) {
      expect(await treeAt(await client.restore(snapshot))).to.deep.equal(await treeAt(trees[i] ?? ''));
    }
  });

  it('went stale between two backups: each removes those it finds, and its own', async () => {
    for (const tree of trees) {
      // As many clients crashed, the last of them in the middle of a maintenance.
      for (let i = 0; i < 3; i++) await client.putLock(11, { exclusive: i === 2 });
      expect(await client.objects('lock')).to.have.length(3);
      const { errors, lockError } = await client.backup(tree);
      expect({ errors, lockError }).to.deep.equal({ errors: 0, lockError: undefined });
      expect(await client.objects('lock')).to.deep.equal([]);
    }
    expect(await client.check()).to.equal(2);
  });

  it("are another one's and fresh: it stays, and a maintenance's holds backups off", async () => {
    const fresh = await client.putLock(9);
    await client.backup(trees[0] ?? '');
    expect(await client.objects('lock')).to.deep.equal([fresh]);
    const exclusive = await client.putLock(0, { exclusive: true });
    const refusal = await client.backup(trees[0] ?? '').catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(ClientFailure);
    expect((refusal as Error).message).to.include('lock');
    expect((await client.objects('lock')).sort()).to.deep.equal([fresh, exclusive].sort());
    expect(await client.list()).to.have.length(1);
  });
});
