import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { eventually } from '../../support/store.js';

/** The paths of everything in a folder. Links aren't followed, as they would be without types: they may go round in circles. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}

/** The temporary files in a store's folder. */
export async function temporaries(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => /(^|\/)tmp\./.test(name));
}

/** The objects in a store's folder. */
export async function objects(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => /(^|\/)[0-9a-f]{64}$/.test(name));
}

/** Waits until an upload has a temporary file. */
export async function untilWriting(folder: string): Promise<void> {
  await eventually(async () => (await temporaries(folder)).length > 0, 'the upload has a temporary file');
}

/** Waits until no upload's temporary file is left. */
export async function untilClean(folder: string): Promise<void> {
  await eventually(async () => (await temporaries(folder)).length === 0, 'no temporary file is left');
}

/**
 * How many files of a folder a process has open, by default this one. One descriptor for each packfile doesn't count: a store keeps
 * it for the next reader.
 */
export function openFiles(folder: string, pid: number | 'self' = 'self'): number {
  const paths = openPaths(pid).filter((path) => path.startsWith(folder));
  const kept = new Set(paths.filter((path) => /\/packfiles\/[0-9a-f]{2}\/[0-9a-f]{64}$/.test(path)));
  return paths.length - kept.size;
}

/** Waits until a process has this number of files of a folder open. */
export async function untilOpenFiles(count: number, folder: string, pid: number | 'self' = 'self'): Promise<void> {
  await eventually(async () => openFiles(folder, pid) === count, `${count} files of the store are open`);
}

/** Waits until this process has no file of a folder open, including those kept for the next reader. */
export async function untilAllClosed(folder: string): Promise<void> {
  const isClosed = (): boolean => !openPaths('self').some((path) => path.startsWith(folder));
  await eventually(async () => isClosed(), 'no file of the store is open');
}

/** How many sockets a process has open. A connection within the process counts twice. */
export function openSockets(pid: number | 'self' = 'self'): number {
  return openPaths(pid).filter((path) => path.startsWith('socket:')).length;
}

/** Waits until a process has at most this number of sockets open. */
export async function untilOpenSockets(atMost: number, pid: number | 'self' = 'self'): Promise<void> {
  await eventually(async () => openSockets(pid) <= atMost, `no more than ${atMost} sockets are open`);
}

function openPaths(pid: number | 'self'): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // Closed meanwhile.
      return '';
    }
  });
}

/** Permissions, times and contents of everything in a folder, by path. Synchronous, as some tests ask for it ten thousand times. */
export function fingerprint(folder: string): Record<string, string> {
  const prints: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    const contents = stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'no file';
    prints[name] = `${stat.mode.toString(8)} ${stat.mtimeMs} ${contents}`;
  }
  return prints;
}
