import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { oncePerBench, root, type Bench } from './bench.js';

const MiB = 2 ** 20;

/** Makes an empty store. Resolves to its path. */
export async function newStore(bench: Bench, name: string): Promise<string> {
  const folder = bench.newPath(name);
  await mkdir(join(folder, 'locks'), { recursive: true, mode: 0o700 });
  await copyFile(join(root, 'test/fixtures/CONFIG'), join(folder, 'CONFIG'));
  const objects = join(folder, 'nothing');
  await bench.drive({ mode: 'fill', folder, count: 0, objects });
  await mkdir(join(folder, 'states'), { mode: 0o700 });
  for (let bucket = 0; bucket < 256; bucket++) {
    await mkdir(join(folder, 'states', bucket.toString(16).padStart(2, '0')), { mode: 0o700 });
  }
  return folder;
}

/** Removes the states and locks of a store, truncates its packfiles, and waits for the disk. */
export async function emptyStore(bench: Bench, store: string): Promise<void> {
  for (const kind of ['states', 'locks']) await bench.drive({ mode: 'clean', folder: join(store, kind) });
  await bench.drive({ mode: 'empty', folder: join(store, 'packfiles') });
}

/** A store to read from. */
export interface ReadStore {
  readonly folder: string;
  /** A file that lists the objects for small reads, of 4 MiB each. */
  readonly ranges: string;
  /** Files that list the objects that are read whole, by size in MiB. */
  readonly whole: ReadonlyMap<number, string>;
}

/** The store that every suite reads from. */
export const readStore = oncePerBench(async (bench: Bench): Promise<ReadStore> => {
  const folder = await newStore(bench, 'read');
  const fill = async (sizeMiB: number, count: number): Promise<string> => {
    const objects = bench.newPath('objects');
    await bench.drive({ mode: 'fill', folder, objects, count, size: sizeMiB * MiB });
    return objects;
  };
  const ranges = await fill(4, bench.options.short ? 128 : 256);
  const whole = new Map<number, string>();
  for (const [size, count] of [
    [1, 64],
    [16, 16],
    [256, 4],
  ] as const) {
    whole.set(size, await fill(size, count));
  }
  // Only pages that are on the disk can be evicted from the cache.
  await bench.drive({ mode: 'clean', folder: join(folder, 'locks') });
  return { folder, ranges, whole };
});
