import { ifPresent } from '../../core/errors.js';
import { objectKinds } from '../../core/object.js';
import { nameOfHost } from '../../lib/name-of-host.js';
import type { FileSystem } from './file-system.js';
import { isBucket, isTemporary, kindFolder, parseTemporary, type TemporaryOwner } from './layout.js';

/** The process that writes. */
export interface Host {
  readonly name: string;
  readonly pid: number;
  /** When this process started, in milliseconds since 1970-01-01 UTC. */
  readonly startedMs: number;
  /** Whether a process of this host is running. */
  isAlive(pid: number): boolean;
}

/** A file of another host is a leftover at this age: no upload goes a day without a byte. */
const maxAgeMs = 24 * 3600 * 1000;

/**
 * Removes the temporary files of gateways that died during an upload; those of running gateways and of other programs stay. Resolves to
 * the number of files removed.
 *
 * @param active the temporary files that this process is writing: by the file server's clock they may look old
 */
export async function sweep(files: FileSystem, host: Host, active: ReadonlySet<string>): Promise<number> {
  let removed = 0;
  for await (const { path, owner, modifiedMs } of temporaryFiles(files)) {
    if (owner === undefined || active.has(path) || !isLeftover(owner, modifiedMs, host, Date.now())) continue;
    // It can disappear at any moment: its upload ends, or another gateway sweeps too.
    await ifPresent(files.remove(path));
    removed++;
  }
  return removed;
}

/** A file that an upload is or was written to. */
export interface TemporaryFile {
  readonly path: string;
  /** Undefined: a program that isn't a gateway. */
  readonly owner: TemporaryOwner | undefined;
  /** In bytes. */
  readonly size: number;
  /** When it was last written, in milliseconds since 1970-01-01 UTC. */
  readonly modifiedMs: number;
}

/** The temporary files of gateways, and of plakar on the machine that keeps the store: those of running uploads and those that were left. */
export async function* temporaryFiles(files: FileSystem): AsyncGenerator<TemporaryFile, void, undefined> {
  for (const kind of objectKinds) yield* temporaryFilesIn(files, kindFolder(kind), true);
}

async function* temporaryFilesIn(
  files: FileSystem,
  folder: string,
  isKind: boolean,
): AsyncGenerator<TemporaryFile, void, undefined> {
  for (const { name, type } of (await ifPresent(files.list(folder))) ?? []) {
    const path = `${folder}/${name}`;
    // A bucket that is a link: to another disk, where its uploads have their temporary files.
    if (isKind && type === 'other' && isBucket(name)) yield* temporaryFilesIn(files, path, false);
    if (type !== 'file' || !isTemporary(name)) continue;
    const stat = await ifPresent(files.stat(path));
    if (stat !== undefined) yield { path, owner: parseTemporary(name), size: stat.size, modifiedMs: stat.modifiedMs };
  }
}

/**
 * Whether a temporary file, last written at `modifiedMs`, was left by a process that is gone. Processes of this host can be looked up; a
 * file from another host, on a shared disk for instance, has to be a day old. If an active upload's file is ever mistaken for a leftover
 * (two containers with the same host name), that upload fails and its client is told: nothing is lost silently.
 */
export function isLeftover(file: TemporaryOwner, modifiedMs: number, host: Host, nowMs: number): boolean {
  if (nowMs - modifiedMs > maxAgeMs) return true;
  if (file.host !== nameOfHost(host.name)) return false;
  // In a container an earlier process may have had the same number: its files are older than this process.
  return file.pid === host.pid ? modifiedMs < host.startedMs : !host.isAlive(file.pid);
}
