import { expect } from 'chai';
import { utimesSync, writeFileSync } from 'node:fs';
import { mkdir, rename, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { watchFiles, type Watch } from '../../src/server/watch-files.js';
import { tempFolder } from '../support/temp.js';

/** Longer than the resolution of times in file systems. */
const everyMs = 20;

describe('watching files', () => {
  let folder: string;
  let watch: Watch | undefined;

  beforeEach(async () => {
    folder = await tempFolder();
  });

  afterEach(() => watch?.close());

  /** Watches files in the folder. Returns a function that resolves at the next reported change. */
  function changesOf(...names: string[]): () => Promise<void> {
    let told = 0;
    let taken = 0;
    let wake = (): void => undefined;
    const paths = names.map((name) => join(folder, name));
    watch = watchFiles(
      paths,
      () => {
        told += 1;
        wake();
      },
      everyMs,
    );
    return async () => {
      taken += 1;
      if (told < taken) await new Promise<void>((resolve) => (wake = resolve));
      expect(told, 'reported changes').to.equal(taken);
    };
  }

  /** Synchronously, so that there is no poll between truncating the file and writing to it. */
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

  it('reports that a file appears, is written, is replaced by renaming, and disappears', async () => {
    const change = changesOf('a');
    write('a', 'one');
    await change();
    write('a', 'two');
    await change();
    write('b', 'two');
    await rename(join(folder, 'b'), join(folder, 'a'));
    await change();
    await unlink(join(folder, 'a'));
    await change();
  });

  it("reports that content changes while size and time don't", async () => {
    write('a', 'one');
    const time = new Date('2026-01-01');
    utimesSync(join(folder, 'a'), time, time);
    const change = changesOf('a');
    // Until the file system tells another time.
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    write('a', 'two');
    utimesSync(join(folder, 'a'), time, time);
    await change();
  });

  it('reports that a link above the files changes, once for all of them', async () => {
    for (const version of ['1', '2']) {
      await mkdir(join(folder, version));
      for (const name of ['cert', 'key']) write(join(version, name), version);
    }
    const turn = async (version: string): Promise<void> => {
      await symlink(version, join(folder, 'next'));
      await rename(join(folder, 'next'), join(folder, 'current'));
    };
    await turn('1');
    const change = changesOf('current/cert', 'current/key');
    await turn('2');
    await change();
    await turn('1');
    await change();
  });

  it('waits until the files no longer change', async () => {
    const path = join(folder, 'a');
    let text = '';
    const atChange = await new Promise<string>((resolve) => {
      watch = watchFiles([path], () => resolve(text), everyMs);
      // At least once between two polls.
      const writing = setInterval(() => {
        text += 'x';
        writeFileSync(path, text);
        if (text.length === 40) clearInterval(writing);
      }, 1);
    });
    expect(atChange).to.equal('x'.repeat(40));
  });

  it('reports nothing after it was closed', async () => {
    const told: string[] = [];
    watchFiles([join(folder, 'a')], () => told.push('closed'), everyMs).close();
    const change = changesOf('a');
    write('a', 'one');
    await change();
    expect(told).to.deep.equal([]);
  });
});
