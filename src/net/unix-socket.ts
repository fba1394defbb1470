import { chmod, chown, link, lstat, mkdtemp, rm, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import type { ListenerConfig } from '../config/types.js';
import { listenOn } from './listen-on.js';
import { resolveOwner } from './owner.js';

export interface UnixSocketOptions extends Pick<ListenerConfig, 'mode' | 'owner'> {
  readonly path: string;
}

/** The longest path of a socket, in bytes: sun_path of unix(7) without the NUL at its end. */
const maxPathBytes = 107;

/** Publishes a unix socket at its path only when its owner and mode are set. All fail with a message for the operator. */
export interface SocketPublisher {
  /** Resolves to a path to listen on, in a folder that is closed to other users. */
  prepare(options: UnixSocketOptions): Promise<string>;
  /** Sets the owner and mode of the socket, and links it to its final path. */
  publish(options: UnixSocketOptions): Promise<void>;
  /** Removes the socket, published or not. */
  remove(options: UnixSocketOptions): Promise<void>;
}

/**
 * Makes a server listen on a unix socket that never accepts connections from other users than intended, whatever the umask: it is
 * created in a folder that is closed to other users, and linked to its path when its owner and mode are set. The socket of a killed
 * process is replaced; anything else at the path is an error. Resolves to a function that removes the socket.
 */
export async function listenOnUnixSocket(
  server: Server,
  options: UnixSocketOptions,
  publisher: SocketPublisher = new UnixSocketPublisher(),
): Promise<() => Promise<void>> {
  const temporary = await publisher.prepare(options);
  try {
    await listenOn(server, { path: temporary });
    await publisher.publish(options);
  } catch (error) {
    server.close();
    await publisher.remove(options);
    throw error;
  }
  return () => publisher.remove(options);
}

/** Publishes one unix socket from this process. */
export class UnixSocketPublisher implements SocketPublisher {
  private folder: string | undefined;
  private ids = { uid: -1, gid: -1 };
  private published: { readonly ino: number; readonly dev: number } | undefined;

  async prepare({ path, owner }: UnixSocketOptions): Promise<string> {
    this.ids = await resolveOwner(owner ?? { user: undefined, group: undefined });
    await removeStaleSocket(path);
    this.folder = await mkdtemp(join(dirname(path), '.k-')).catch(explain(path));
    const temporary = join(this.folder, 's');
    // The system would truncate the path and listen there.
    if ([path, temporary].every((each) => Buffer.byteLength(each) <= maxPathBytes)) return temporary;
    await this.removeFolder();
    throw new Error('its path is too long for a unix socket');
  }

  async publish({ path, mode, owner }: UnixSocketOptions): Promise<void> {
    const temporary = join(this.folder ?? '', 's');
    await chown(temporary, this.ids.uid, this.ids.gid);
    await chmod(temporary, mode ?? (owner?.group === undefined ? 0o600 : 0o660));
    // Unlike rename, link never replaces anything.
    await link(temporary, path).catch(explain(path));
    await this.removeFolder();
    this.published = await lstat(path);
  }

  async remove({ path }: UnixSocketOptions): Promise<void> {
    await this.removeFolder();
    const there = await lstat(path).catch(() => undefined);
    // Another process may have replaced it.
    if (there !== undefined && there.ino === this.published?.ino && there.dev === this.published.dev)
      await unlink(path);
  }

  private async removeFolder(): Promise<void> {
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
    this.folder = undefined;
  }
}

function explain(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code === 'ENOENT') throw new Error(`the folder ${dirname(path)} does not exist`, { cause: error });
    if (error.code !== 'EEXIST') throw error;
    throw new Error('another process is listening there, or it is not a socket: remove it', { cause: error });
  };
}

/** Removes the socket of a process that was killed. */
async function removeStaleSocket(path: string): Promise<void> {
  // Connections to a regular file are refused as well.
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
