import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { newTrashed, objectPath, trashedPath } from '../../../src/backends/files/layout.js';
import type { Outcome } from '../../../src/cli/outcome.js';
import { parseCommandLine } from '../../../src/cli/parse.js';
import { runCommand } from '../../../src/cli/run-command.js';
import type { Mac, ObjectKind, ObjectRef } from '../../../src/core/object.js';
import { host } from '../../support/gateway.js';
import { makeObject } from '../../support/objects.js';
import { emptyStore } from '../../support/temp.js';

/** Runs a command as the program does, without a terminal. */
export async function run(...argv: string[]): Promise<Outcome> {
  const user = { name: 'operator', home: '/nonexistent', env: { PATH: process.env['PATH'] } };
  const surroundings = { home: '/nonexistent', cwd: '/nonexistent' };
  let output = '';
  const print = async (text: string): Promise<void> => void (output += text);
  const context = { env: {}, surroundings, host, user, print, terminal: undefined };
  const outcome = await runCommand(parseCommandLine(argv), context);
  return { ...outcome, stdout: output + outcome.stdout };
}

/** The same with --json: resolves to the document. */
export async function runJson<T>(...argv: string[]): Promise<T> {
  const { stdout, stderr } = await run(...argv, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

/** The object that tests call by this name. */
export function refOf(kind: ObjectKind, name: string): ObjectRef {
  return { kind, mac: createHash('sha256').update(`${kind} ${name}`).digest('hex') as Mac };
}

/** A store's folder, as years of use and an attacker may have left it. */
export class UsedStore {
  private constructor(readonly path: string) {}

  static async create(): Promise<UsedStore> {
    return new UsedStore(await emptyStore());
  }

  /** The one in a folder. */
  static at(path: string): UsedStore {
    return new UsedStore(path);
  }

  /** An object arrived at a moment of the past. */
  async arrived(kind: ObjectKind, name: string, moment: string, size = 1000, seed = name): Promise<void> {
    await this.write(objectPath(refOf(kind, name)), makeObject(kind, size, seed), moment);
  }

  /** An object of the store was deleted at a moment of the past. */
  async deleted(kind: ObjectKind, name: string, moment: string): Promise<void> {
    const ref = refOf(kind, name);
    const to = join(this.path, trashedPath(newTrashed(ref, Date.parse(moment))));
    await mkdir(dirname(to), { recursive: true });
    await rename(join(this.path, objectPath(ref)), to);
  }

  /** The names, out of these, of the objects that the store has. */
  async namesOf(kind: ObjectKind, ...names: string[]): Promise<string[]> {
    const files = new Set(Object.keys(await this.files()));
    return names.filter((name) => files.has(objectPath(refOf(kind, name))));
  }

  /** All files, by path, with their time and a digest of their bytes. */
  async files(): Promise<Record<string, string>> {
    const entries = await readdir(this.path, { recursive: true, withFileTypes: true });
    const files = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
    const described = files.map(async (file): Promise<[string, string]> => {
      const digest = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      return [relative(this.path, file), `${(await stat(file)).mtimeMs} ${digest}`];
    });
    return Object.fromEntries(await Promise.all(described));
  }

  private async write(path: string, bytes: Uint8Array, moment: string): Promise<void> {
    const file = join(this.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    await utimes(file, new Date(moment), new Date(moment));
  }
}

/**
 * A store of which a snapshot was removed and cleaned away: backup A on the 1st, backup B on the 5th, a removal of A on the 10th, and on the 20th
 * maintenance, which deleted A's packfile and state. Another backup, C, came on the 15th.
 */
export async function storeWithRemoval(): Promise<UsedStore> {
  const store = await UsedStore.create();
  for (const [name, day] of [
    ['A', '01'],
    ['B', '05'],
    ['C', '15'],
  ] as const) {
    await store.arrived('packfile', name, `2026-01-${day}T03:00:00Z`, 100_000);
    await store.arrived('state', name, `2026-01-${day}T03:00:02Z`, 5000);
  }
  await store.arrived('state', 'removal', '2026-01-10T12:00:00Z', 148);
  await store.deleted('state', 'A', '2026-01-20T12:00:01Z');
  await store.deleted('packfile', 'A', '2026-01-20T12:00:02Z');
  return store;
}
