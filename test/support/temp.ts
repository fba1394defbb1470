import { execFile, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folders: string[] = [];

/** A new, empty folder, removed when the tests are over. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-gateway-test-'));
  folders.push(folder);
  return folder;
}

/** Removes every folder that `tempFolder` made. They have some hundred thousand files, which takes Node's own `rm` many times as long. */
export async function removeTempFolders(): Promise<void> {
  while (folders.length > 0) await promisify(execFile)('rm', ['-rf', '--', ...folders.splice(0, 1000)]);
}

export type Fixture = `${'v1.1' | 'v1.0'}-${'plaintext' | 'encrypted'}/${'store-empty' | 'store-two-snapshots'}`;

/** Where a fixture file is. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** Makes an empty store: a real CONFIG, and nothing else yet. Resolves to its path. */
export async function emptyStore(): Promise<string> {
  const folder = join(await tempFolder(), 'store');
  for (const name of ['packfiles', 'states', 'locks'])
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  await copyFile(fixturePath('CONFIG'), join(folder, 'CONFIG'));
  return folder;
}

/** Unpacks a real store into a new folder. Resolves to the store's path. */
export async function fixtureStore(fixture: Fixture): Promise<string> {
  const folder = await tempFolder();
  const { status, stderr } = spawnSync('tar', ['xzf', fixturePath(`${fixture}.tar.gz`), '-C', folder]);
  if (status !== 0) throw new Error(`tar: ${String(stderr)}`);
  return join(folder, 'store');
}
