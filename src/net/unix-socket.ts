import { chmod, chown, link, lstat, mkdtemp, rm, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { listenOn } from './listen-on.js';
import { resolveOwner } from './owner.js';

export interface UnixSocketOptions {
  readonly path: string;
  /** Permissions; undefined: for the owner alone, or for owner and group where a group is given. */
  readonly mode: number | undefined;
  readonly owner: { readonly user: string | undefined; readonly group: string | undefined } | undefined;
}

/** How many bytes a socket's path can have: sun_path of unix(7) without the NUL at its end. */
const maxPathBytes = 107;

/**
 * Makes a server listen on a unix socket that at no moment lets in more than it is meant to: it is made in a folder that nobody
 * else may enter, whatever the umask, and linked into place when it has its owner and mode. A socket that a killed process left
 * is replaced, and nothing else is. Resolves to what removes it.
 */
export async function listenOnUnixSocket(
  server: Server,
  { path, mode, owner = { user: undefined, group: undefined } }: UnixSocketOptions,
): Promise<() => Promise<void>> {
  const ids = await resolveOwner(owner);
  await removeStaleSocket(path);
  const folder = await mkdtemp(join(dirname(path), '.k-')).catch(explain(path));
  try {
    const temporary = join(folder, 's');
    for (const each of [path, temporary]) {
      // The system would cut it off, and listen somewhere else.
      if (Buffer.byteLength(each) > maxPathBytes) throw new Error('its path is too long for a unix socket');
    }
    await listenOn(server, { path: temporary });
    await chown(temporary, ids.uid, ids.gid);
    await chmod(temporary, mode ?? (owner.group === undefined ? 0o600 : 0o660));
    // Unlike a rename, this replaces nothing.
    await link(temporary, path).catch(explain(path));
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { ino, dev } = await lstat(path);
  return async () => {
    const there = await lstat(path).catch(() => undefined);
    // Another process may have listened there since.
    if (there?.ino === ino && there.dev === dev) await unlink(path);
  };
}

function explain(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code === 'ENOENT') throw new Error(`there is no folder ${dirname(path)}: make it`, { cause: error });
    if (error.code !== 'EEXIST') throw error;
    throw new Error('another process listens there, or it is no socket: remove it', { cause: error });
  };
}

/** A process that was killed leaves its socket, which nobody answers any more and which is in the way of a new one. */
async function removeStaleSocket(path: string): Promise<void> {
  // Connecting to an ordinary file is refused, too.
  const isSocket = await lstat(path).then(
    (stat) => stat.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const refused = await new Promise<boolean>((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (refused) await unlink(path);
}
