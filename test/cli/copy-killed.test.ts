import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { program } from '../support/program.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';
import { UsedStore } from './support/undo.js';

const packfiles = ['1', '2', '3', '4', '5', '6'];
const states = ['a', 'b', 'c', 'd'];

/** When the copy is killed: once so much is there. */
const moments: readonly { readonly title: string; readonly until: (there: readonly string[]) => boolean }[] = [
  { title: 'while the store is made', until: (there) => there.includes('packfiles/40') },
  { title: 'among the packfiles', until: (there) => count(there, 'packfiles') >= 2 },
  { title: 'among the states', until: (there) => count(there, 'states') >= 2 },
];

describe('a copy that is killed', function () {
  this.timeout(120_000);

  it('leaves a good store each time, and goes on from there', async () => {
    const source = await UsedStore.create();
    for (const [i, name] of packfiles.entries())
      await source.arrived('packfile', name, `2026-01-01T00:0${i}:00Z`, 100_000);
    for (const [i, name] of states.entries()) await source.arrived('state', name, `2026-01-01T01:0${i}:00Z`, 100_000);
    const expected = await objectsIn(source.path);
    const destination = join(await tempFolder(), 'copy');
    const start = (rate: string): ChildProcess => {
      const words = ['copy', source.path, destination, '--create', '--jobs', '2', '--rate', rate];
      return spawn(process.execPath, [...program, ...words], { stdio: 'ignore' });
    };
    for (const { title, until } of moments) {
      // Slow enough to be killed in between.
      const copying = start('600KiB');
      const ended = once(copying, 'exit');
      await eventually(async () => until(await pathsIn(destination)), title);
      copying.kill('SIGKILL');
      expect(await ended, title).to.deep.equal([null, 'SIGKILL']);
      const copied = await objectsIn(destination);
      for (const [path, bytes] of Object.entries(copied))
        expect(bytes === expected[path], `${title}: ${path}`).to.equal(true);
      // The oldest states, and all packfiles before the first one.
      const copies = UsedStore.at(destination);
      const there = await copies.namesOf('state', ...states);
      expect(there, title).to.deep.equal(states.slice(0, there.length));
      if (there.length > 0) expect(await copies.namesOf('packfile', ...packfiles), title).to.deep.equal(packfiles);
    }
    expect(await once(start('1GiB'), 'exit')).to.deep.equal([0, null]);
    expect(await objectsIn(destination)).to.deep.equal(expected);
    expect((await pathsIn(destination)).filter((path) => path.includes('tmp.'))).to.deep.equal([]);
  });
});

/** Everything that there is in a folder, by its path. */
async function pathsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}

/** How many objects of a kind there are among paths. */
function count(paths: readonly string[], kind: string): number {
  return paths.filter((path) => new RegExp(`^${kind}/../[0-9a-f]{64}$`).test(path)).length;
}

/** The bytes of all objects, by their paths. */
async function objectsIn(folder: string): Promise<Record<string, string>> {
  const paths = (await pathsIn(folder)).filter((path) => /[0-9a-f]{64}$/.test(path));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path), 'base64')] as const)),
  );
}
