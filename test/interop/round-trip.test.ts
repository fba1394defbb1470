import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { klosetClients, klosetVersions, type Backup, type KlosetClient } from '../support/klosetclient.js';
import { makeObject, randomMac } from '../support/objects.js';
import { emptyStore, fixtureStore, tempFolder } from '../support/temp.js';
import { objects, untilClean, untilWriting } from '../wire/support/folders.js';
import { changeTree, makeTree, treeAt } from './tree.js';

/* plakar's own client code on whole stores: what goes in through a gateway comes out of it, and out of the folder behind it. */

/** Of the fixtures, and of the stores made here. */
const passphrases = { plaintext: undefined, encrypted: 'correct horse battery staple 42' };

const cases = klosetVersions.flatMap((version) =>
  (['plaintext', 'encrypted'] as const).map((kind) => ({ version, kind })),
);

for (const { version, kind } of cases) {
  const passphrase = passphrases[kind];
  const who = `plakar's client code (kloset ${version})`;

  describe(`${who} and an ${kind === 'encrypted' ? '' : 'un'}encrypted store that it made`, function () {
    this.timeout(60_000);
    const clientOf = klosetClients(version);
    let store: string;
    let gateway: TestGateway;
    let through: KlosetClient;
    let direct: KlosetClient;
    const trees: Map<string, string>[] = [];
    const backups: Backup[] = [];

    before('back up a tree twice', async () => {
      store = join(await tempFolder(), 'store');
      direct = clientOf(store, { passphrase });
      await direct.create();
      gateway = await startTestGateway(store, { 'allow-write': true });
      through = clientOf(`http://127.0.0.1:${gateway.httpPort}`, { passphrase });
      const tree = join(await tempFolder(), 'tree');
      await mkdir(tree);
      await makeTree(tree, kind);
      trees.push(await treeAt(tree));
      backups.push(await through.backup(tree));
      await changeTree(tree, kind);
      trees.push(await treeAt(tree));
      backups.push(await through.backup(tree));
    });

    after(() => gateway?.close());

    it('backs up every file, also after changes', () => {
      for (const [i, { files, errors, lockError }] of backups.entries()) {
        const inTree = [...(trees[i]?.values() ?? [])].filter((what) => what.startsWith('file '));
        expect(inTree.length).to.be.above(250);
        expect({ files, errors, lockError }).to.deep.equal({ files: inTree.length, errors: 0, lockError: undefined });
      }
      expect(trees[0]).to.not.deep.equal(trees[1]);
    });

    it('lists both backups, and leaves packfiles and states alone', async () => {
      expect((await through.list()).map(({ snapshot }) => snapshot)).to.deep.equal(
        backups.map(({ snapshot }) => snapshot),
      );
      const files = [...(await treeAt(store))].filter(([, what]) => what.startsWith('file ')).map(([path]) => path);
      const own = /^(CONFIG|(packfiles|states)\/[0-9a-f]{2}\/[0-9a-f]{64})$/;
      expect(files.filter((path) => !own.test(path))).to.deep.equal([]);
    });

    for (const way of ['through the gateway', 'from the folder behind it']) {
      const client = (): KlosetClient => (way === 'through the gateway' ? through : direct);

      it(`finds nothing wrong ${way}`, async () => {
        expect(await client().check()).to.equal(2);
      });

      it(`restores both trees as they were ${way}`, async () => {
        const restored = await Promise.all(backups.map(({ snapshot }) => client().restore(snapshot)));
        for (const [i, folder] of restored.entries()) expectSameTree(await treeAt(folder), trees[i]);
      });
    }
  });

  describe(`${who} and an ${kind === 'encrypted' ? '' : 'un'}encrypted store that plakar made`, function () {
    this.timeout(60_000);
    const clientOf = klosetClients(version);

    it('reads it under the default policy, and adds to it where it may', async () => {
      const store = await fixtureStore(`v1.1-${kind}/store-two-snapshots`);
      const direct = clientOf(store, { passphrase });
      const known = await direct.list();
      const { snapshot: last = '' } = known[1] ?? {};
      expect(known).to.have.length(2);
      let tree: string;

      const reading = await startTestGateway(store);
      try {
        const through = clientOf(`http://127.0.0.1:${reading.httpPort}`, { passphrase });
        const [checked, restored, restoredDirectly] = await Promise.all([
          through.check(),
          through.restore(last),
          direct.restore(last),
        ]);
        expect(checked).to.equal(2);
        tree = restored;
        expect(await treeAt(tree)).to.not.be.empty;
        expectSameTree(await treeAt(tree), await treeAt(restoredDirectly));
      } finally {
        await reading.close();
      }

      const adding = await startTestGateway(store, { 'allow-write': true });
      try {
        const through = clientOf(`http://127.0.0.1:${adding.httpPort}`, { passphrase });
        const { snapshot } = await through.backup(tree);
        expectSameTree(await treeAt(await direct.restore(snapshot)), await treeAt(tree));
        expect(await direct.check()).to.equal(3);
      } finally {
        await adding.close();
      }
    });
  });
}

describe("plakar's client code and a location", function () {
  this.timeout(60_000);
  const clientOf = klosetClients();
  let store: string;
  let gateway: TestGateway;

  before(async () => {
    store = await fixtureStore('v1.1-plaintext/store-two-snapshots');
    gateway = await startTestGateway(store, { 'allow-write': true });
  });

  after(() => gateway?.close());

  it('with a slash at its end is the same store', async () => {
    const client = clientOf(`http://127.0.0.1:${gateway.httpPort}/`);
    expect(await client.check()).to.equal(2);
    expect(await client.objects('packfile')).to.have.length(3);
  });

  it('gives just the bytes of a range', async () => {
    const client = clientOf(`http://127.0.0.1:${gateway.httpPort}`);
    const [mac = ''] = await client.objects('packfile');
    const bytes = await readFile(join(store, 'packfiles', mac.slice(0, 2), mac));
    for (const [offset, length] of [
      [0, 10],
      [100_000, 300_000],
      [bytes.length - 5, 10],
    ] as const) {
      const wanted = bytes.subarray(offset, offset + length);
      expect(await client.read('packfile', mac, offset, length)).to.deep.equal({
        length: wanted.length,
        sha256: createHash('sha256').update(wanted).digest('hex'),
      });
    }
  });

  it('with a path is told that there is no store', async () => {
    const client = clientOf(`http://127.0.0.1:${gateway.httpPort}/teams/blue`);
    await client.list().then(
      () => expect.fail('it listed something'),
      (error: Error) => expect(error.message).to.include('no store "teams/blue" here'),
    );
  });

  it('that is sent a token takes no notice of it', async () => {
    const client = clientOf(`http://127.0.0.1:${gateway.httpPort}`, { authToken: 'hunter2' });
    expect(await client.check()).to.equal(2);
    await client.putLock();
    expect(JSON.stringify(gateway.log)).to.not.include('hunter2');
  });
});

function expectSameTree(got: Map<string, string>, wanted = new Map<string, string>()): void {
  // As lists, of which the first difference is shown; of maps it is only said that there is one.
  expect([...got].sort().filter(([path, what]) => wanted.get(path) !== what)).to.deep.equal([]);
  expect([...got.keys()].sort()).to.deep.equal([...wanted.keys()].sort());
}

describe("plakar's client code that limits the time of a request", function () {
  this.timeout(60_000);
  const clientOf = klosetClients('1.1.4');

  it('gets its work done in time', async () => {
    const gateway = await startTestGateway(await fixtureStore('v1.1-plaintext/store-two-snapshots'));
    try {
      expect(await clientOf(`http://127.0.0.1:${gateway.httpPort}`, { timeout: '5m' }).check()).to.equal(2);
    } finally {
      await gateway.close();
    }
  });

  it('leaves nothing behind at the gateway when it gives an upload up', async () => {
    const folder = await emptyStore();
    const gateway = await startTestGateway(folder, { 'allow-write': true });
    // Its bytes never end.
    const pipe = join(await tempFolder(), 'pipe');
    spawnSync('mkfifo', [pipe]);
    const writing = open(pipe, 'w');
    try {
      const client = clientOf(`http://127.0.0.1:${gateway.httpPort}`, { timeout: '1s' });
      const put = client.put('packfile', randomMac(), pipe).catch(String);
      const writer = await writing;
      await writer.write(makeObject('packfile', 2_000_000));
      await untilWriting(folder);
      await untilClean(folder);
      // The client waits for its source even then.
      await writer.close();
      expect(await put).to.include('Client.Timeout');
      expect(await objects(folder)).to.deep.equal([]);
    } finally {
      await gateway.close();
    }
  });
});
