import { expect } from 'chai';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Settings } from '../../src/config/config.js';
import { fixtureStore, type Fixture } from '../support/temp.js';
import { Aftermath, differences } from './differences.js';
import { commands, edgeCasesOf, recordingOf } from './recordings.js';
import { replay, type Outcome } from './replay.js';

/*
 * What plakar's client and its server said to each other, replayed to the gateway. Its answers have to be the same, byte by
 * byte, but for what the table in differences.ts lists. Status, Content-Type and body are compared, and Content-Length where
 * plakar's server sent one; an answer that it chunked may be chunked or have its length.
 */

/** What clients may do on plakar's server without -allow-delete, and with it. */
const withoutDelete: Settings = { 'allow-write': true };
const withDelete: Settings = { 'allow-delete': true };

/** The commands that only read: the gateway's default access has to do for them. */
const reading: readonly string[] = ['ls-empty', 'ls', 'check', 'restore'];

const stores = ['plaintext', 'encrypted'] as const;

describe('the exchanges recorded between plakar 1.1 and its server', () => {
  const outcomes = new Map<string, readonly Outcome[]>();
  const filesAfterBackups = new Map<string, Map<string, Buffer>>();

  // Once for all: each command was recorded on the store that the ones before it had left.
  before(async () => {
    for (const store of stores) {
      const folder = await fixtureStore(`v1.1-${store}/store-empty`);
      const aftermath = new Aftermath();
      for (const command of commands) {
        const recording = recordingOf(store, command);
        // Someone had removed the locks that were left, or plakar's maintenance would have failed once more.
        if (command === 'maintenance') await removeLocks(folder);
        const settings = command === 'maintenance' ? withDelete : withoutDelete;
        outcomes.set(`${store} ${command}`, await replay(folder, settings, recording, aftermath));
        if (reading.includes(command))
          outcomes.set(`${store} ${command}, reading`, await replay(folder, {}, recording, aftermath));
        if (command === 'backup-2') filesAfterBackups.set(store, await filesIn(folder));
      }
    }
    const twoSnapshots = (): Promise<string> => fixtureStore('v1.1-plaintext/store-two-snapshots');
    outcomes.set(
      'edge-cases',
      await replay(await twoSnapshots(), withoutDelete, recordingOf('plaintext', 'edge-cases')),
    );
    outcomes.set('more-edge-cases', await replay(await twoSnapshots(), withoutDelete, edgeCasesOf('more-edge-cases')));
    outcomes.set('deletes', await replay(await twoSnapshots(), withDelete, edgeCasesOf('deletes')));
  });

  for (const store of stores) {
    describe(`on the ${store} store`, () => {
      for (const command of commands) {
        it(`${command}: the same answers`, () => expectAsTold(outcomes.get(`${store} ${command}`)));
      }

      for (const command of reading) {
        it(`${command}: the same answers where callers may only read`, () => {
          const read = outcomes.get(`${store} ${command}, reading`);
          expectAsTold(read);
          expect(read?.flatMap(({ rows }) => rows)).to.deep.equal([]);
        });
      }

      it('the same files after both backups, less the locks that the clients could delete', async () => {
        const ours = filesAfterBackups.get(store);
        const theirs = await filesIn(await fixtureStore(`v1.1-${store}/store-two-snapshots` satisfies Fixture));
        const isLock = (path: string): boolean => path.startsWith('locks/');
        const paths = [...theirs.keys()].filter((path) => !isLock(path)).sort();
        expect([...(ours?.keys() ?? [])].filter((path) => !isLock(path)).sort()).to.deep.equal(paths);
        for (const path of paths) expect(ours?.get(path)?.equals(theirs.get(path) ?? Buffer.of()), path).to.equal(true);
        // The encrypted store's recording ends before the client deletes its second one.
        expect([...(ours?.keys() ?? [])].filter(isLock).length).to.equal(store === 'encrypted' ? 1 : 0);
      });
    });
  }

  describe('apart from commands', () => {
    for (const name of ['edge-cases', 'more-edge-cases', 'deletes']) {
      it(`${name}: the same answers`, () => expectAsTold(outcomes.get(name)));
    }
  });

  describe('the table of differences', () => {
    it('has no row that is never used', () => {
      const used = new Set([...outcomes.values()].flat().flatMap(({ rows }) => rows));
      expect(differences.filter((row) => !used.has(row)).map(({ what }) => what)).to.deep.equal([]);
    });

    it('has no row for an answer that is the same, and not two rows for one', () => {
      for (const { request, rows, recorded, expected } of [...outcomes.values()].flat()) {
        const about = `${request}: ${rows.map(({ what }) => what).join('; ')}`;
        expect(rows.length, about).to.be.at.most(1);
        if (rows.length > 0) expect(expected, about).to.not.deep.equal(recorded);
      }
    });
  });
});

function expectAsTold(outcomes: readonly Outcome[] = []): void {
  expect(outcomes).to.not.be.empty;
  for (const { request, expected, got } of outcomes) expect(got, request).to.deep.equal(expected);
}

async function removeLocks(folder: string): Promise<void> {
  for (const lock of await readdir(join(folder, 'locks'))) await rm(join(folder, 'locks', lock));
}

/** Every file of a store, by its path in it. */
async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(relative(folder, path), await readFile(path));
  }
  return files;
}
