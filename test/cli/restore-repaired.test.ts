import { expect } from 'chai';
import { FileStore } from '../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import type { UndoCommand } from '../../src/cli/command-types.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { Progress } from '../../src/cli/progress.js';
import { restoreStates } from '../../src/cli/restore-states.js';
import type { TrashedObject } from '../../src/core/trash.js';
import { host } from '../support/gateway.js';
import { makeObject } from '../support/objects.js';
import { ctx, getAll } from '../support/store.js';
import { refOf, UsedStore } from './support/undo.js';

const arrived = '2026-01-01T03:00:00Z';
const repaired = '2026-01-20T12:00:00Z';
const deleted = '2026-01-25T12:00:00Z';

/** What a bucket says of what was repaired there: as files keep their times, the tests say it for them. */
const firstArrival = async (): Promise<number> => Date.parse(arrived);

describe('restore-states to a moment before a repair', () => {
  let used: UsedStore;

  beforeEach(async () => {
    used = await UsedStore.create();
    await used.arrived('state', 'other', arrived);
  });

  async function damagedAndRepaired(kind: 'packfile' | 'state', anew: boolean): Promise<void> {
    await used.arrived(kind, 'X', arrived, 1000, 'damaged');
    await used.deleted(kind, 'X', repaired);
    await used.arrived(kind, 'X', anew ? repaired : arrived, 1000, 'whole');
  }

  /** Takes the store back, and resolves to whether it has the object whole, if it has it. */
  async function hasWhole(kind: 'packfile' | 'state', inBucket: boolean): Promise<boolean> {
    const options = { durable: false, maxObjectBytes: 1e6, host, trashes: true };
    const store = await FileStore.open(new LocalFileSystem(used.path), options);
    const trashed = async ({ deletedMs }: TrashedObject): Promise<number | undefined> =>
      deletedMs === Date.parse(deleted) ? firstArrival() : undefined;
    if (inBucket) {
      Object.assign(store, { firstArrival });
      Object.assign(store.trash, { firstArrival: trashed });
    }
    const argv = ['restore-states', used.path, '--as-of', '2026-01-10', '--apply'];
    const prepared = restoreStates(parseCommandLine(argv) as UndoCommand, Date.now());
    if ('problems' in prepared) throw new Error(prepared.problems.join());
    const about = { title: used.path, nowMs: Date.now(), ctx, progress: new Progress(undefined), call: () => '' };
    const { exitCode, stderr } = await prepared({ store, trash: store.trash, print: async () => undefined, ...about });
    expect(exitCode, stderr).to.equal(0);
    const bytes = await getAll(store, refOf(kind, 'X'));
    await store.close();
    return bytes.equals(makeObject(kind, 1000, 'whole'));
  }

  for (const kind of ['packfile', 'state'] as const) {
    it(`leaves a ${kind} in its place that was repaired in a bucket, where it arrived anew`, async () => {
      await damagedAndRepaired(kind, true);
      expect(await hasWhole(kind, true)).to.equal(true);
    });
  }

  for (const inBucket of [true, false]) {
    it(`brings back the repaired one, if that was deleted ${inBucket ? 'from a bucket' : ''}`, async () => {
      await damagedAndRepaired('packfile', inBucket);
      await used.deleted('packfile', 'X', deleted);
      expect(await hasWhole('packfile', inBucket)).to.equal(true);
    });
  }

  it('brings back what others have replaced', async () => {
    await used.arrived('packfile', 'X', arrived, 1000, 'whole');
    await used.deleted('packfile', 'X', repaired);
    await used.arrived('packfile', 'X', repaired, 1000, 'of an attacker');
    expect(await hasWhole('packfile', false)).to.equal(true);
  });
});
