import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from '../bench.js';
import type { Outcome } from '../driver.js';

const MiB = 2 ** 20;

export interface Snapshot {
  readonly snapshot: string;
}

/** Runs plakar's client in miniature once. Its caches are its own, and last for this run: nothing is read from them. */
export async function runClient(
  bench: Bench,
  command: string,
  location: string,
  ...args: string[]
): Promise<{ readonly outcome: Outcome; readonly result: unknown }> {
  const start = performance.now();
  const { stdout } = await promisify(execFile)(bench.programs.klosetClient, [command, location, ...args], {
    env: { TMPDIR: bench.folder, HOME: bench.programs.plakarHome, PATH: process.env['PATH'] },
  });
  const seconds = (performance.now() - start) / 1000;
  return { outcome: { ops: 1, seconds }, result: JSON.parse(stdout) };
}

/** A folder of files of 1 to 16 KiB, a hundred in each subfolder. Resolves to its path. */
export async function smallFiles(bench: Bench, count: number): Promise<string> {
  const folder = bench.newPath('small');
  for (let n = 0; n < count; n++) {
    const within = join(folder, String(Math.floor(n / 100)));
    if (n % 100 === 0) await mkdir(within, { recursive: true });
    await writeFile(join(within, `file-${n}`), randomBytes(1024 + ((n * 7919) % (15 * 1024))));
  }
  return folder;
}

/** A folder of files of 16 MiB. Resolves to its path. */
export async function largeFiles(bench: Bench, count: number): Promise<string> {
  const folder = bench.newPath('large');
  await mkdir(folder);
  for (let n = 0; n < count; n++) await writeFile(join(folder, `file-${n}`), randomBytes(16 * MiB));
  return folder;
}
