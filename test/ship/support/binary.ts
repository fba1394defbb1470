import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const path = join(root, 'dist/kloset-gateway-linux-x64');

/** Whether the single executable runs on this machine. */
export const canRunBinary = process.platform === 'linux' && process.arch === 'x64';

/** The single executable's path. Built where it is missing, or older than what it is made of; that takes half a minute. */
export async function builtBinary(): Promise<string> {
  const sources = ['src', 'gen', 'proto', 'sample', 'scripts/build-binary'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  const newest = Math.max(...[...sources, join(root, 'package.json')].map((file) => statSync(file).mtimeMs));
  if (!existsSync(path) || statSync(path).mtimeMs < newest) {
    await promisify(execFile)('npm', ['run', '--silent', 'build:binary'], { cwd: root });
  }
  return path;
}
