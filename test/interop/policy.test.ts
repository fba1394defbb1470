import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../../src/config/config.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { ClientFailure, klosetClients, type ClientKind, type KlosetClient } from '../support/klosetclient.js';
import { makeObject, randomMac } from '../support/objects.js';
import { fixtureStore, tempFolder } from '../support/temp.js';
import { makeTree, traceOf } from './tree.js';

/* What plakar's own client code may do at each level of access, and what its user is told where it may not. */

const kinds = ['packfile', 'state', 'lock'] as const;

describe("plakar's client code and a gateway", function () {
  this.timeout(60_000);
  const clientOf = klosetClients();
  let store: string;
  let gateway: TestGateway;
  let client: KlosetClient;
  let tree: string;

  before(async () => {
    tree = join(await tempFolder(), 'tree');
    await mkdir(tree);
    await makeTree(tree, 'policy');
  });

  /** Serves a real store with two snapshots and two stale locks. */
  function serving(settings: Settings): void {
    beforeEach(async () => {
      store = await fixtureStore('v1.1-plaintext/store-two-snapshots');
      gateway = await startTestGateway(store, settings);
      client = clientOf(`http://127.0.0.1:${gateway.httpPort}`);
    });

    afterEach(() => gateway.close());
  }

  /** Expects just this message for the client's user, and that nothing in the store's folder was as much as touched. */
  async function expectRefused(work: () => Promise<unknown>, message: string): Promise<void> {
    const before = await traceOf(store);
    const failure = await work().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(ClientFailure);
    expect((failure as Error).message).to.equal(message);
    expect([...(await traceOf(store))]).to.deep.equal([...before]);
  }

  async function objectOf(kind: ClientKind): Promise<string> {
    return (await client.objects(kind))[0] ?? expect.fail(`there is no ${kind}`);
  }

  /** A file with an object of a kind, its size cut to `bytes`. */
  async function fileWith(kind: ClientKind, bytes?: number): Promise<string> {
    const file = join(await tempFolder(), kind);
    await writeFile(file, makeObject(kind, 5000, 'interop').subarray(0, bytes));
    return file;
  }

  describe('that lets callers read, as by default', () => {
    serving({});

    const needs = (what: string, level = 'append', option = 'with --allow-write'): string =>
      `not allowed to ${what}: your access to this store is read-only, and that needs ${level}, ` +
      `which the gateway's operator grants ${option}`;

    it('lists, checks and restores, and leaves no trace of that in the store', async () => {
      const before = await traceOf(store);
      const snapshots = await client.list();
      expect(snapshots).to.have.length(2);
      expect(await client.check()).to.equal(2);
      await client.restore(snapshots[0]?.snapshot ?? '');
      expect([...(await traceOf(store))]).to.deep.equal([...before]);
    });

    it('is refused a backup', () => expectRefused(() => client.backup(tree), needs('put locks')));

    it('is refused a lock', () => expectRefused(() => client.putLock(), needs('put locks')));

    it('is refused the removal of a snapshot', async () => {
      const [first] = await client.list();
      await expectRefused(() => client.remove(first?.snapshot ?? ''), needs('put states'));
    });

    for (const kind of kinds) {
      it(`is refused a new ${kind}, and one with the name of another`, async () => {
        const file = await fileWith(kind);
        await expectRefused(() => client.put(kind, randomMac(), file), needs(`put ${kind}s`));
        const present = await objectOf(kind);
        await expectRefused(() => client.put(kind, present, file), needs(`put ${kind}s`));
      });

      it(`is refused the delete of a ${kind}, there or not`, async () => {
        const message =
          kind === 'lock' ? needs('delete locks') : needs(`delete ${kind}s`, 'full', 'with --allow-delete');
        const present = await objectOf(kind);
        await expectRefused(() => client.delete(kind, present), message);
        await expectRefused(() => client.delete(kind, randomMac()), message);
      });
    }
  });

  describe('that lets callers write, and not read what is backed up', () => {
    beforeEach(async () => {
      store = await fixtureStore('v1.1-plaintext/store-two-snapshots');
      const stores = { '': { location: store, anonymous: 'write-only' as const } };
      gateway = await startTestGateway(undefined, { stores, 'min-free-space': 0 });
      client = clientOf(`http://127.0.0.1:${gateway.httpPort}`);
    });

    afterEach(() => gateway.close());

    it('backs up, though it can read no packfile', async () => {
      const { snapshot, errors } = await client.backup(tree);
      expect(errors).to.equal(0);
      const direct = clientOf(store);
      expect((await direct.list()).map((each) => each.snapshot)).to.include(snapshot);
      expect(await direct.check()).to.equal(3);
      const packfile = await objectOf('packfile');
      await expectRefused(
        () => client.read('packfile', packfile, 0, 16),
        'not allowed to read packfiles: your access to this store is write-only, and that needs append, ' +
          "which the gateway's operator grants with --allow-write",
      );
    });
  });

  describe('that lets callers add', () => {
    serving({ 'allow-write': true });

    it('removes a snapshot, which adds a state and deletes nothing', async () => {
      const [first, second] = await client.list();
      const states = await client.objects('state');
      const packfiles = await client.objects('packfile');
      await client.remove(first?.snapshot ?? '');
      expect(await client.list()).to.deep.equal([second]);
      expect(await client.objects('state'))
        .to.have.length(states.length + 1)
        .and.include.members(states);
      expect(await client.objects('packfile')).to.deep.equal(packfiles);
    });

    for (const kind of ['packfile', 'state'] as const) {
      it(`is refused the delete of a ${kind}, there or not`, async () => {
        const message =
          `not allowed to delete ${kind}s: your access to this store is append, and that needs full, ` +
          "which the gateway's operator grants with --allow-delete";
        const present = await objectOf(kind);
        await expectRefused(() => client.delete(kind, present), message);
        await expectRefused(() => client.delete(kind, randomMac()), message);
      });

      it(`is refused to overwrite a ${kind}, and may put the same again`, async () => {
        const present = await objectOf(kind);
        const other = await fileWith(kind);
        await expectRefused(
          () => client.put(kind, present, other),
          `a ${kind} with this MAC and other bytes is stored already, and ${kind}s are never replaced`,
        );
        const before = await traceOf(store);
        await client.put(kind, present, join(store, `${kind}s`, present.slice(0, 2), present));
        expect([...(await traceOf(store))]).to.deep.equal([...before]);
      });
    }

    for (const kind of kinds) {
      it(`is told that a ${kind} was damaged on its way`, async () => {
        const cutOff = await fileWith(kind, 40);
        await expectRefused(
          () => client.put(kind, randomMac(), cutOff),
          `not a ${kind}: it has 40 bytes, and the shortest has 48; was the upload cut off?`,
        );
        const empty = await fileWith(kind, 0);
        await expectRefused(
          () => client.put(kind, randomMac(), empty),
          `not a ${kind}: it has 0 bytes, and the shortest has 48; was the upload cut off?`,
        );
        const foreign = await fileWith(kind === 'state' ? 'lock' : 'state');
        await expectRefused(
          () => client.put(kind, randomMac(), foreign),
          `not a ${kind}: its header says that it is of type ${kind === 'state' ? 2 : 3}`,
        );
      });
    }
  });

  describe('that lets callers delete', () => {
    serving({ 'allow-delete': true });

    for (const kind of kinds) {
      it(`deletes a ${kind}, once and again`, async () => {
        const [first = '', ...others] = await client.objects(kind);
        await client.delete(kind, first);
        await client.delete(kind, first);
        expect(await client.objects(kind)).to.deep.equal(others);
      });
    }

    it('is refused to overwrite, and may put anew what was deleted', async () => {
      const present = await objectOf('state');
      const other = await fileWith('state');
      await expectRefused(
        () => client.put('state', present, other),
        'a state with this MAC and other bytes is stored already, and states are never replaced',
      );
      await client.delete('state', present);
      await client.put('state', present, other);
      expect(await client.objects('state')).to.include(present);
    });
  });
});
