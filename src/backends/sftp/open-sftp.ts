import { StoreError } from '../../core/errors.js';
import type { Logger } from '../../lib/logger.js';
import { describeCapabilities, probeCapabilities } from './capabilities.js';
import { dial } from './dial.js';
import type { SftpLocation } from './location.js';
import { linkOptions, type SftpOptions } from './options.js';
import { Pool } from './pool.js';
import { lstat, makeFolderAt } from './requests.js';
import { SftpFileSystem } from './sftp-file-system.js';
import { startError } from './status.js';
import { resolveTarget } from './target.js';

/** As many as on a local disk. Measured: with half of a store's packfiles open, small ranges take twice as long as with all of them. */
const defaultOpenFiles = 512;

/** The limits for a server that doesn't say how many files may be open. */
const cautious = { maxOpenFiles: 32, listConcurrency: 16 };

/**
 * Opens a folder of an SSH server. Connects once, so that problems show at the start: the message of the StoreError is then for the
 * operator, and names hosts, files and what to do. What the server can't guarantee is logged, and is in `capabilities`.
 *
 * Errors: `invalid_argument` for an unusable location or configuration; `permission_denied` for a wrong host key or a failed login;
 * `unavailable` for a server that doesn't answer; `not_found` for a missing folder.
 */
export async function openSftp(
  location: SftpLocation,
  options: SftpOptions,
  log: Pick<Logger, 'info' | 'warn'>,
): Promise<SftpFileSystem> {
  const links = linkOptions(options);
  let pool: Pool | undefined;
  try {
    const target = await resolveTarget(location, options, log);
    if (target.insecure) {
      log.warn(
        { host: target.host },
        "the host key is not checked: any machine that answers in the server's place can read and change the store",
      );
    }
    pool = new Pool((closed) => dial(target, options, log, closed), links, log);
    const session = await pool.connect();
    const root = location.path;
    if (options.makesFolder === true) await pool.run((any) => makeFolderAt(any, root));
    const { type } = await pool.run((any) => lstat(any, `${root}/.`));
    if (type !== 'folder') throw new StoreError('not_found', 'not a folder');
    const probe = { root, writable: options.writable ?? true, syncLimitMs: links.giveUpMs };
    const capabilities = await probeCapabilities(pool, probe);
    for (const sentence of describeCapabilities(capabilities)) log.warn({ host: target.host }, sentence);
    return new SftpFileSystem(pool, capabilities, {
      root,
      giveUpMs: links.giveUpMs,
      ...fileLimits(options.maxOpenFiles, session.features.maxOpenFiles),
    });
  } catch (error) {
    await pool?.close();
    throw startError(error);
  }
}

/**
 * Of the files that a connection may have open, half are for packfiles, each of which may be open in every connection, a quarter for
 * folders, which are open while they are listed, and the rest for uploads.
 */
function fileLimits(
  wanted = defaultOpenFiles,
  allowed: number | undefined,
): { maxOpenFiles: number; listConcurrency: number } {
  if (allowed === undefined) return { ...cautious, maxOpenFiles: Math.min(wanted, cautious.maxOpenFiles) };
  const share = (divisor: number): number => Math.max(1, Math.floor(allowed / divisor));
  return { maxOpenFiles: Math.min(wanted, share(2)), listConcurrency: Math.min(64, share(4)) };
}
