import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { seededBytes } from '../support/objects.js';

/* Trees of files to back up, the same for the same seed: ordinary files, and names, sizes and links that programs often get wrong. */

const KiB = 1024;
const MiB = 1024 * KiB;

const oddNames = [
  ' starts with a space',
  'ends with a space ',
  '-dash',
  '--',
  '.hidden',
  '..two dots',
  '...',
  '~',
  "it's",
  '"quoted"',
  'new\nline',
  'tab\there',
  'back\\slash',
  'star*?[x]',
  '$HOME `x` ;&|',
  '#%2f%00',
  'é composed',
  'e\u0301 decomposed',
  'Case',
  'case',
  '日本語',
  '😀',
  'a:b',
  'CONFIG',
  'n'.repeat(255),
];

const fileModes = [0o600, 0o644, 0o755, 0o400, 0o444, 0o640];
const folderModes = [0o700, 0o755, 0o750];

/** Fills an empty folder: some hundred files from nothing to a few MiB, nested and empty folders, links of every kind. */
export async function makeTree(root: string, seed: string): Promise<void> {
  const random = randomly(seed);
  const folders = ['.'];
  for (let i = 0; i < 30; i++) {
    const folder = join(random.oneOf(folders), `folder ${i}`);
    await mkdir(join(root, folder));
    folders.push(folder);
  }
  for (const [i, odd] of oddNames.entries()) {
    await mkdir(join(root, 'odd', odd), { recursive: true });
    await makeFile(join(root, 'odd', odd, odd), `${seed} odd ${i}`, random.below(100), random);
  }
  await mkdir(join(root, ...Array.from({ length: 25 }, (_, i) => `deep ${i}`)), { recursive: true });
  await mkdir(join(root, 'empty', 'empty too'), { recursive: true });

  const sizes = [0, 0, 1, 15, 16, 17, 47, 48, 4095, 4096, 4097, 64 * KiB, 512 * KiB, MiB, MiB + 1, 3 * MiB, 5 * MiB];
  for (let i = 0; i < 250; i++) {
    const size = sizes[i] ?? random.below(random.below(10) === 0 ? 200 * KiB : 8 * KiB);
    await makeFile(join(root, random.oneOf(folders), `file ${i}.txt`), `${seed} ${i}`, size, random);
  }
  const twins = seededBytes(300 * KiB, `${seed} twins`);
  for (const name of ['twin', 'other twin']) await writeFile(join(root, random.oneOf(folders), name), twins);

  const links = {
    'to a file': 'odd/--/--',
    'to a folder': 'folder 0',
    'to nothing': 'no such file',
    'to itself': 'to itself',
    up: '..',
    absolute: '/no/such/folder',
  };
  for (const [name, target] of Object.entries(links)) await symlink(target, join(root, name));
  // The innermost first: without write permission for a folder, those in it can't be changed.
  for (const folder of folders.slice(1).reverse()) await chmod(join(root, folder), random.oneOf(folderModes));
}

/** Changes a tree as time does: files grow, shrink, appear, disappear, move and get other permissions. */
export async function changeTree(root: string, seed: string): Promise<void> {
  const random = randomly(seed);
  const paths = [...(await treeAt(root)).keys()].filter((path) => /\bfile \d+\.txt$/.test(path)).sort();
  for (const [i, path] of paths.entries()) {
    const file = join(root, path);
    if (i % 10 === 0) await rm(file);
    if (i % 10 === 1) await rename(file, `${file} moved`);
    if (i % 10 === 2) await chmod(file, 0o604);
    if (i % 10 === 3) {
      const bytes = await readFile(file);
      await rm(file);
      const middle = Math.floor(bytes.length / 2);
      await writeFile(file, Buffer.concat([bytes.subarray(0, middle), Buffer.from(seed), bytes.subarray(middle)]));
    }
  }
  for (let i = 0; i < 20; i++) await makeFile(join(root, `new ${i}`), `${seed} ${i}`, random.below(40 * KiB), random);
  await rm(join(root, 'up'));
  await symlink('../..', join(root, 'up'));
  await rm(join(root, 'empty'), { recursive: true });
}

/** What a tree consists of, by path: kind, permissions, and contents or target. */
export async function treeAt(root: string): Promise<Map<string, string>> {
  const tree = new Map<string, string>();
  // Without the recursive option of readdir: since Node 26 it follows links, and some of them form cycles.
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      tree.set(relative(root, path), await shape(path));
      if (entry.isDirectory()) await walk(path);
    }
  };
  await walk(root);
  return tree;
}

/** A tree with the inode numbers and times of its entries, so that every change is visible. */
export async function traceOf(root: string): Promise<Map<string, string>> {
  const trace = new Map<string, string>();
  for (const [path, what] of [['.', await shape(root)] as const, ...(await treeAt(root))]) {
    const { mtimeNs, ctimeNs, ino } = await lstat(join(root, path), { bigint: true });
    trace.set(path, `${what}, number ${ino}, written at ${mtimeNs}, changed at ${ctimeNs}`);
  }
  return trace;
}

async function shape(path: string): Promise<string> {
  const stat = await lstat(path);
  if (stat.isSymbolicLink()) return `link to ${await readlink(path)}`;
  const mode = (stat.mode & 0o7777).toString(8);
  if (stat.isDirectory()) return `folder ${mode}`;
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return `file ${mode}, ${stat.size} bytes, ${digest}`;
}

/** Half of the files can be compressed, the others can't. */
async function makeFile(path: string, seed: string, size: number, random: Random): Promise<void> {
  const words =
    size % 2 === 0 ? Buffer.alloc(size, `${seed} and then some more of the same; `) : seededBytes(size, seed);
  await writeFile(path, words);
  await chmod(path, random.oneOf(fileModes));
}

interface Random {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  oneOf<T>(all: readonly T[]): T;
}

function randomly(seed: string): Random {
  const bytes = seededBytes(64 * KiB, seed);
  let at = 0;
  const below = (limit: number): number => {
    at = (at + 4) % bytes.length;
    return bytes.readUInt32LE(at) % limit;
  };
  return { below, oneOf: <T>(all: readonly T[]) => all[below(all.length)] as T };
}
