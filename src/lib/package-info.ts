import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder: where its package.json, proto files and sample store are, whether built or run from source. */
export const packageFolder = findPackageFolder(dirname(fileURLToPath(import.meta.url)));

/** The package's version. */
export const version = (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string })
  .version;

function findPackageFolder(start: string): string {
  if (existsSync(join(start, 'package.json'))) return start;
  const parent = dirname(start);
  if (parent === start) throw new Error('no package.json above the program: its installation is broken');
  return findPackageFolder(parent);
}
