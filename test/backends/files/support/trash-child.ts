import { FileStore } from '../../../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../../../src/backends/local/local-file-system.js';
import { host } from '../../../support/gateway.js';
import { inChunks, makeObject, newRef } from '../../../support/objects.js';
import { listAll } from '../../../support/store.js';
import { listTrash } from './trash.js';

/*
 * Uses the trash of the store in a folder, and says what is done. `once`: one object; `forever`: all packfiles again and again, and states
 * that it purges.
 */

const [folder = '', mode] = process.argv.slice(2);
const options = { durable: mode === 'once', maxObjectBytes: 1e6, host, trashes: true };
const store = await FileStore.open(new LocalFileSystem(folder), options);
const say = (what: string): void => void process.stdout.write(`${what}\n`);

if (mode === 'once') {
  const ref = newRef('packfile');
  await store.put(ref, inChunks(makeObject('packfile', 1000)));
  say('stored');
  await store.delete(ref);
  say('deleted');
  for (const object of await listTrash(store)) await store.trash.restore(object);
  say('restored');
} else {
  const macs = await listAll(store, 'packfile');
  for (;;) {
    const state = newRef('state');
    await store.put(state, inChunks(makeObject('state', 1000)));
    await Promise.all(
      [state, ...macs.map((mac) => ({ kind: 'packfile', mac }) as const)].map((ref) => store.delete(ref)),
    );
    await Promise.all(
      (await listTrash(store)).map((object) =>
        object.ref.kind === 'state' ? store.trash.remove(object) : store.trash.restore(object),
      ),
    );
    say('round');
  }
}
await store.close();
