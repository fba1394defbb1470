import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempFolder } from '../../support/temp.js';

const run = promisify(execFile);
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A repository of its own with this one's files as they are, in one commit. What is done there changes nothing here. */
export class Clone {
  private constructor(readonly path: string) {}

  static async make(): Promise<Clone> {
    const path = join(await tempFolder(), 'kloset-gateway');
    await mkdir(path);
    const files = 'git ls-files -z --cached --others --exclude-standard';
    const copy = `${files} | tar --create --null --files-from - --ignore-failed-read | tar --extract --directory "$0"`;
    await run('bash', ['-c', copy, path], { cwd: root });
    await symlink(join(root, 'node_modules'), join(path, 'node_modules'));
    const clone = new Clone(path);
    await clone.git('init', '--quiet');
    // With a slash at its end, the pattern in .gitignore is for folders only.
    await writeFile(join(path, '.git/info/exclude'), 'node_modules\n');
    await clone.commit();
    return clone;
  }

  async git(...args: string[]): Promise<void> {
    const identity = ['-c', 'user.name=Release test', '-c', 'user.email=release@test.example'];
    await run('git', [...identity, ...args], { cwd: this.path });
  }

  /** Commits everything. */
  async commit(): Promise<void> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '--message', 'A test');
  }

  async version(): Promise<string> {
    const { version } = JSON.parse(await readFile(join(this.path, 'package.json'), 'utf8')) as { version: string };
    return version;
  }

  /** Changes the changelog, and commits that. */
  async changelog(change: (text: string) => string): Promise<void> {
    const path = join(this.path, 'CHANGELOG.md');
    await writeFile(path, change(await readFile(path, 'utf8')));
    await this.commit();
  }

  /** Runs scripts/release. Rejects with its messages in `stderr` if it fails. */
  async release(): Promise<void> {
    await run('scripts/release', { cwd: this.path, maxBuffer: 64 << 20 });
  }

  /** Another folder with the same files, but for what was built and installed. Resolves to its path. */
  async copy(): Promise<string> {
    const path = join(await tempFolder(), 'copy');
    const generated = ['dist', 'node_modules'].map((name) => join(this.path, name));
    await cp(this.path, path, { recursive: true, filter: (source) => !generated.includes(source) });
    await symlink(join(root, 'node_modules'), join(path, 'node_modules'));
    return path;
  }
}

let made: Promise<Clone> | undefined;

/** A release of the files as they are. Made once for all tests, since it takes a minute. */
export function madeRelease(): Promise<Clone> {
  return (made ??= makeRelease());
}

async function makeRelease(): Promise<Clone> {
  const clone = await Clone.make();
  const version = await clone.version();
  await clone.changelog((text) => text.replace(/^## .*/m, `## ${version} - 2026-12-01`));
  await clone.release();
  return clone;
}

/** The folder with what a release consists of. */
export async function releaseFolder(): Promise<string> {
  return join((await madeRelease()).path, 'dist/release');
}
