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

/** Puts a unix socket into its place, around the moment when a server begins to listen on it. Each fails with a message. */
export interface UnixSocketPlaces {
  /** Resolves to where to listen, in a folder that nobody else may enter. */
  prepare(options: UnixSocketOptions): Promise<string>;
  /** Gives the socket its owner and mode, and the path that it is for. */
  place(options: UnixSocketOptions): Promise<void>;
  /** Takes away the path, or what was prepared. */
  remove(options: UnixSocketOptions): Promise<void>;
}

/**
 * Makes a server listen on a unix socket that at no moment lets in more than it is meant to: it is made in a folder that nobody
 * else may enter, whatever the umask, and linked into place when it has its owner and mode. A socket that a killed process left
 * is replaced, and nothing else is. Resolves to what removes it.
 */
export async function listenOnUnixSocket(
  server: Server,
  options: UnixSocketOptions,
  places: UnixSocketPlaces = new OwnUnixSocket(),
): Promise<() => Promise<void>> {
  const temporary = await places.prepare(options);
  try {
    await listenOn(server, { path: temporary });
    await places.place(options);
  } catch (error) {
    server.close();
    await places.remove(options);
    throw error;
  }
  return () => places.remove(options);
}

/** The place of one unix socket. */
export class OwnUnixSocket implements UnixSocketPlaces {
  private folder: string | undefined;
  private ids = { uid: -1, gid: -1 };
  private placed: { readonly ino: number; readonly dev: number } | undefined;

  async prepare({ path, owner }: UnixSocketOptions): Promise<string> {
    this.ids = await resolveOwner(owner ?? { user: undefined, group: undefined });
    await removeStaleSocket(path);
    this.folder = await mkdtemp(join(dirname(path), '.k-')).catch(explain(path));
    const temporary = join(this.folder, 's');
    // The system would cut it off, and listen somewhere else.
    if ([path, temporary].every((each) => Buffer.byteLength(each) <= maxPathBytes)) return temporary;
    await this.removeFolder();
    throw new Error('its path is too long for a unix socket');
  }

  async place({ path, mode, owner }: UnixSocketOptions): Promise<void> {
    const temporary = join(this.folder ?? '', 's');
    await chown(temporary, this.ids.uid, this.ids.gid);
    await chmod(temporary, mode ?? (owner?.group === undefined ? 0o600 : 0o660));
    // Unlike a rename, this replaces nothing.
    await link(temporary, path).catch(explain(path));
    await this.removeFolder();
    this.placed = await lstat(path);
  }

  async remove({ path }: UnixSocketOptions): Promise<void> {
    await this.removeFolder();
    const there = await lstat(path).catch(() => undefined);
    // Another process may have listened there since.
    if (there !== undefined && there.ino === this.placed?.ino && there.dev === this.placed.dev) await unlink(path);
  }

  private async removeFolder(): Promise<void> {
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
    this.folder = undefined;
  }
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
