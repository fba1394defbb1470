import { expect } from 'chai';
import { rename } from 'node:fs/promises';
import type { OpenedStore } from '../../../src/backends/backend.js';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { OptionalStore } from '../../../src/server/stores/optional-store.js';
import { listTrash } from '../../backends/files/support/trash.js';
import { host, silent, startTestGateway } from '../../support/gateway.js';
import { HttpStore } from '../../support/http-store.js';
import { MemoryStore } from '../../support/memory-store.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { ctx, listAll, expectFailure, eventually } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

describe('A store that is optional', () => {
  it('is answered 503 while it cannot be opened, and served from when it can', async () => {
    const [blue, green] = [await emptyStore(), await emptyStore()];
    await rename(green, `${green}-unmounted`);
    const { httpPort, log, close } = await startTestGateway(undefined, {
      stores: { blue: { location: blue }, green: { location: green, optional: true } },
    });
    const store = new HttpStore(httpPort, { store: 'green' });
    try {
      expect(await listAll(new HttpStore(httpPort, { store: 'blue' }), 'state')).to.deep.equal([]);
      const { message } = await expectFailure(listAll(store, 'state'), 'unavailable');
      expect(message).to.include("the store can't be reached").and.not.include(green);
      const warnings = log.filter(({ level }) => level === 'warn').map((line) => line.message);
      expect(warnings[0]).to.include(green).and.include('it is optional, and tried again in 1 s');
      await rename(`${green}-unmounted`, green);
      await eventually(
        async () => (await listAll(store, 'state').catch(() => undefined)) !== undefined,
        'it is served',
      );
      expect(await listAll(store, 'state')).to.deep.equal([]);
    } finally {
      await close();
    }
  });

  it('has a trash that is unavailable until it is open, and only then is known to have none', async () => {
    const files = await FileStore.open(new LocalFileSystem(await emptyStore()), {
      ...{ durable: false, maxObjectBytes: 1e6, host, trashes: true },
    });
    const later = async (inner: OpenedStore): Promise<OpenedStore> => {
      let attempts = 0;
      const open = (): Promise<OpenedStore> =>
        attempts++ === 0 ? Promise.reject(new Error('unmounted')) : Promise.resolve(inner);
      return OptionalStore.open({ open, info: files.info(), log: silent });
    };
    const [withTrash, without] = [await later(files), await later(new MemoryStore(await files.config(), 1e6))];
    const { trash } = withTrash;
    if (trash === undefined || without.trash === undefined) throw new Error('it says that it has no trash');
    const ref = newRef('state');
    await expectFailure(trash.discard(ref), 'unavailable');
    await eventually(async () => (await without.config(ctx).catch(() => undefined)) !== undefined, 'both are open');
    await withTrash.put(ref, inChunks(makeObject('state', 100)), ctx);
    await trash.discard(ref);
    const [object] = await listTrash(files);
    expect(object?.ref).to.deep.equal(ref);
    expect(without.trash).to.equal(undefined);
    await Promise.all([withTrash.close(), without.close()]);
  });

  it('lists no digests once it is open and turns out to have none, and is soon tried again where it is lost later', async () => {
    const logged: string[] = [];
    const log = { ...silent, warn: (_: object, message: string) => void logged.push(message) };
    const inner = new MemoryStore(Buffer.alloc(48), 1e6);
    let isMounted = false;
    const open = async (): Promise<OpenedStore> => {
      if (isMounted) return inner;
      isMounted = true;
      throw new Error('unmounted');
    };
    const store = await OptionalStore.open({ open, info: inner.info(), log });
    const { digests } = store;
    if (digests === undefined) throw new Error('it says that it has no digests');
    await expectFailure(digests.list(ctx), 'unavailable');
    await eventually(async () => (await store.config(ctx).catch(() => undefined)) !== undefined, 'it is open');
    expect(await digests.list(ctx)).to.deep.equal([]);
    isMounted = false;
    await store.reopen();
    expect(logged).to.have.length(2);
    expect(logged[1]).to.include('tried again in 1 s');
    await store.close();
  });

  it('keeps no gateway from starting, but a store that is not does', async () => {
    const blue = await emptyStore();
    const bad = { blue: { location: blue }, green: { location: `${blue}-missing` } };
    const started: unknown = await startTestGateway(undefined, { stores: bad }).catch((error: unknown) => error);
    expect(String(started)).to.include(`${blue}-missing`);
  });
});
