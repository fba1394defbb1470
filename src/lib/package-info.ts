import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import * as sea from 'node:sea';
import { fileURLToPath } from 'node:url';

/*
 * The package's files: in its folder or, in the single executable, in that: scripts/build-binary puts them there as assets, under their paths
 * within the package. No other module has to know which it is.
 */

/** Whether the program is the single executable, which contains Node and is started without it. */
export const isSingleExecutable = sea.isSea();

/** The package's folder, whether built or run from source. In the single executable it is '': paths within it are names of assets. */
export const packageFolder = isSingleExecutable ? '' : findPackageFolder(dirname(fileURLToPath(import.meta.url)));

/** The package's version. */
export const version = (JSON.parse(textOf('package.json')) as { version: string }).version;

/** Copies a folder of the package, with all that is in it. */
export async function copyPackageFolder(folder: string, to: string): Promise<void> {
  if (!isSingleExecutable) return cp(join(packageFolder, folder), to, { recursive: true });
  for (const name of assets.getAssetKeys().filter((key) => key.startsWith(`${folder}/`))) {
    const path = join(to, relative(folder, name));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, new Uint8Array(sea.getAsset(name)));
  }
}

/** The source of a dependency that is a single CommonJS file. In the single executable it has to be one of its assets. */
export function sourceOf(dependency: string): string {
  if (isSingleExecutable) return sea.getAsset(dependency, 'utf8');
  return readFileSync(createRequire(import.meta.url).resolve(dependency), 'utf8');
}

/** The types are those of Node 20. */
const assets = sea as typeof sea & { getAssetKeys(): string[] };

function textOf(path: string): string {
  return isSingleExecutable ? sea.getAsset(path, 'utf8') : readFileSync(join(packageFolder, path), 'utf8');
}

function findPackageFolder(start: string): string {
  if (existsSync(join(start, 'package.json'))) return start;
  const parent = dirname(start);
  if (parent === start) throw new Error('no package.json above the program: its installation is broken');
  return findPackageFolder(parent);
}
