import { StoreError } from '../../core/errors.js';
import type { Logger } from '../../lib/logger.js';
import { describeCapabilities, probeCapabilities } from './capabilities.js';
import { dial } from './dial.js';
import type { SftpLocation } from './location.js';
import { linkOptions, type SftpOptions } from './options.js';
import { Pool } from './pool.js';
import { lstat } from './requests.js';
import { SftpFileSystem } from './sftp-file-system.js';
import { startError } from './status.js';
import { resolveTarget } from './target.js';

/** As many as on a local disk. Measured: with half of a store's packfiles open, small ranges take twice as long as with all of them. */
const defaultOpenFiles = 512;

/** What a server that doesn't say how many files may be open is asked for. */
const cautious = { openFiles: 32, listAhead: 16 };

/**
 * Opens a folder of an SSH server. Connects once, so that what is wrong is known at the start: the message of the StoreError
 * is then for the operator, and names hosts, files and what to do. What the server can't promise is logged, and in
 * `capabilities`: `canWrite` and `isDurable` (capabilities.ts) say what that means for a store.
 *
 * Errors: `invalid_argument` for a location or a configuration that can't be used; `permission_denied` for a host key that is
 * not the server's, and a login that failed; `unavailable` for a server that doesn't answer; `not_found` for a folder that
 * isn't there.
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
        'the host key is not checked: whoever answers in its place can read and change it all',
      );
    }
    pool = new Pool((stopped) => dial(target, options, log, stopped), links, log);
    const session = await pool.connect();
    const root = location.path;
    const { type } = await pool.run((any) => lstat(any, `${root}/.`));
    if (type !== 'folder') throw new StoreError('not_found', 'not a folder');
    const probe = { root, writable: options.writable ?? true, syncLimitMs: links.giveUpMs };
    const capabilities = await probeCapabilities(pool, probe);
    for (const sentence of describeCapabilities(capabilities)) log.warn({ host: target.host }, sentence);
    return new SftpFileSystem(pool, capabilities, {
      root,
      giveUpMs: links.giveUpMs,
      ...fileLimits(options.openFiles, session.features.maxOpenFiles),
    });
  } catch (error) {
    await pool?.close();
    throw startError(error);
  }
}

/**
 * Each packfile may be open once in every connection, and folders are open while they are listed. Half of what a connection may have
 * open is for the one, a quarter for the other, and the rest for uploads.
 */
function fileLimits(wanted = defaultOpenFiles, allowed: number | undefined): { openFiles: number; listAhead: number } {
  if (allowed === undefined) return { ...cautious, openFiles: Math.min(wanted, cautious.openFiles) };
  const share = (part: number): number => Math.max(1, Math.floor(allowed / part));
  return { openFiles: Math.min(wanted, share(2)), listAhead: Math.min(64, share(4)) };
}
