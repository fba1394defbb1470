import { randomBytes } from 'node:crypto';
import type { Pool } from './pool.js';
import { closeFile, hardlink, openFile, openFlags, plainRename, removeFile, syncFolder } from './requests.js';
import type { Session } from './session.js';
import { hasStatus, LostConnection, status } from './status.js';

/** What a server guarantees. */
export interface SftpCapabilities {
  /** How to create a name without ever replacing another; `none` if there is no safe way. */
  readonly createWith: 'hardlink' | 'rename' | 'none';
  /** Whether a lock can be replaced atomically. */
  readonly replaces: boolean;
  /** Whether files can be synced to the server's disk. */
  readonly syncsFiles: boolean;
  /** Whether the names in a folder can be synced. */
  readonly syncsFolders: boolean;
}

/** Whether the server has everything that writing to a store needs; otherwise the store is served read-only. */
export function canWrite({ createWith, replaces }: SftpCapabilities): boolean {
  return createWith !== 'none' && replaces;
}

/** Whether an acknowledged put survives a power cut of the server. */
export function isDurable({ syncsFiles, syncsFolders }: SftpCapabilities): boolean {
  return syncsFiles && syncsFolders;
}

/** A sentence for the operator for each guarantee that the server lacks. */
export function describeCapabilities(capabilities: SftpCapabilities): string[] {
  const { createWith, replaces, syncsFiles, syncsFolders } = capabilities;
  return [
    createWith === 'none' &&
      'the SFTP server has no way to make a name that never replaces another (hardlink@openssh.com, or a RENAME that ' +
        'refuses to), or lets nothing be written: the store is read-only',
    !replaces &&
      "the SFTP server can't replace a file atomically (posix-rename@openssh.com), as refreshing a lock takes: the store is " +
        'read-only',
    !syncsFiles &&
      "the SFTP server can't sync files (fsync@openssh.com): what was acknowledged may be lost when it loses power",
    syncsFiles &&
      !syncsFolders &&
      "the SFTP server can't sync folders: the names of new objects may be lost when it loses power in the next seconds",
  ].filter((sentence) => sentence !== false);
}

export interface Probe {
  /** The store's folder on the server. */
  readonly root: string;
  /** Whether the probe may write. */
  readonly writable: boolean;
  /** How long a sync may take, in milliseconds. */
  readonly syncLimitMs: number;
}

/** Determines what a server guarantees, by what it announces and by trying it. Fails with `unavailable`. */
export function probeCapabilities(pool: Pool, probe: Probe): Promise<SftpCapabilities> {
  return pool.run(async (session) => ({
    createWith: probe.writable ? await probeCreation(session, `${probe.root}/packfiles`) : announced(session),
    replaces: session.features.posixRename,
    syncsFiles: session.features.fsync,
    syncsFolders: session.features.fsync && !(await refuses(syncFolder(session, probe.root, probe.syncLimitMs))),
  }));
}

/** What is known without writing. Whether RENAME refuses to replace is not. */
function announced(session: Session): SftpCapabilities['createWith'] {
  return session.features.hardlink ? 'hardlink' : 'none';
}

/**
 * Tries to create a name without replacing: a disk may have no hard links although the server offers them. The names are those of
 * temporary files, so that the sweep removes what a lost connection leaves.
 */
async function probeCreation(session: Session, folder: string): Promise<SftpCapabilities['createWith']> {
  const names = [0, 1].map(() => `${folder}/tmp.kloset-gateway.probe.0.${randomBytes(8).toString('hex')}`);
  const [first = '', second = ''] = names;
  try {
    await touch(session, first);
    if (session.features.hardlink) {
      await hardlink(session, first, second);
      return (await refuses(hardlink(session, first, second))) ? 'hardlink' : 'none';
    }
    await touch(session, second);
    return (await refuses(plainRename(session, first, second))) ? 'rename' : 'none';
  } catch (error) {
    if (error instanceof LostConnection) throw error;
    // The store doesn't have the folder yet: rely on what the server announces.
    return hasStatus(error, status.noSuchFile) ? announced(session) : 'none';
  } finally {
    await Promise.all(names.map((name) => removeFile(session, name).catch(() => undefined)));
  }
}

async function touch(session: Session, path: string): Promise<void> {
  const flags = openFlags.write | openFlags.create | openFlags.exclusive;
  await closeFile(session, await openFile(session, path, flags, 0o600));
}

async function refuses(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (error instanceof LostConnection) throw error;
    return true;
  }
}
