import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { oncePerBench, type Bench } from '../bench.js';
import { newStore } from '../stores.js';
import { runClient } from './kloset-client.js';

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** A folder to back up. Its files can't be compressed or deduplicated. */
export interface Tree {
  readonly folder: (bench: Bench) => Promise<string>;
  /** A store with one snapshot of it. */
  readonly backedUp: (bench: Bench) => Promise<{ readonly store: string; readonly snapshot: string }>;
}

function tree(make: (bench: Bench) => Promise<string>): Tree {
  const folder = oncePerBench(make);
  const backedUp = oncePerBench(async (bench: Bench) => {
    const store = await newStore(bench, 'client');
    const { result } = await runClient(bench, ['backup', store, await folder(bench)]);
    return { store, snapshot: (result as { snapshot: string }).snapshot };
  });
  return { folder, backedUp };
}

export const trees = {
  /** 300 MiB in 40 large files and 1,500 small ones. */
  mixed: tree(async (bench) => {
    const folder = bench.newPath('mixed');
    const part = bench.options.short ? 5 : 1;
    await writeLarge(join(folder, 'large'), 40 / part, 7 * MiB);
    await writeSmall(join(folder, 'small'), 1500 / part, { leastBytes: 4 * KiB, mostBytes: 24 * KiB });
    return folder;
  }),
  /** 20,000 files of 1 to 16 KiB. */
  small: tree(async (bench) => {
    const folder = bench.newPath('small');
    await writeSmall(folder, bench.options.short ? 1000 : 20_000, { leastBytes: KiB, mostBytes: 16 * KiB });
    return folder;
  }),
  /** 2 GiB in files of 16 MiB. */
  large: tree(async (bench) => {
    const folder = bench.newPath('large');
    await writeLarge(folder, bench.options.short ? 16 : 128, 16 * MiB);
    return folder;
  }),
};

async function writeLarge(folder: string, count: number, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let n = 0; n < count; n++) await writeFile(join(folder, `file-${n}`), randomBytes(bytes));
}

/** Writes files with sizes spread evenly between the limits, a hundred in each subfolder. */
async function writeSmall(
  folder: string,
  count: number,
  { leastBytes, mostBytes }: { readonly leastBytes: number; readonly mostBytes: number },
): Promise<void> {
  for (let n = 0; n < count; n++) {
    const within = join(folder, String(Math.floor(n / 100)));
    if (n % 100 === 0) await mkdir(within, { recursive: true });
    const bytes = leastBytes + ((n * 7919) % (mostBytes - leastBytes));
    await writeFile(join(within, `file-${n}`), randomBytes(bytes));
  }
}
