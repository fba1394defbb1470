import { OwnUnixSocket, type UnixSocketOptions } from '../../net/unix-socket.js';
import { SerialQueue } from '../../lib/serial-queue.js';

interface Entry {
  readonly socket: OwnUnixSocket;
  readonly temporary: Promise<string>;
  placed: Promise<void> | undefined;
  /** The workers that listen on it, or are about to. */
  readonly holders: Set<number>;
}

/**
 * The unix sockets that workers share. Workers listen on the temporary path, by which the cluster recognises that it is the same socket.
 * The first worker has it linked to its final path; when the last one has stopped listening, it is removed.
 */
export class SharedUnixSockets {
  private readonly entries = new Map<string, Entry>();
  /** Operations run one at a time, so that a path that one of them frees is free for the next. */
  private readonly queue = new SerialQueue();

  prepare(worker: number, options: UnixSocketOptions): Promise<string> {
    return this.queue.run(async () => {
      const key = JSON.stringify(options);
      const entry = this.entries.get(key) ?? create(options);
      const temporary = await entry.temporary;
      entry.holders.add(worker);
      this.entries.set(key, entry);
      return temporary;
    });
  }

  place(options: UnixSocketOptions): Promise<void> {
    return this.queue.run(async () => {
      const entry = this.entries.get(JSON.stringify(options));
      if (entry !== undefined) await (entry.placed ??= entry.socket.place(options));
    });
  }

  remove(worker: number, options: UnixSocketOptions): Promise<void> {
    return this.queue.run(() => this.leave(worker, JSON.stringify(options), options));
  }

  /** Removes a worker that has exited from all sockets. */
  gone(worker: number): Promise<void> {
    return this.queue.run(async () => {
      for (const key of this.entries.keys()) await this.leave(worker, key, JSON.parse(key) as UnixSocketOptions);
    });
  }

  /** Resolves when all earlier operations have ended. */
  settled(): Promise<void> {
    return this.queue.run(() => Promise.resolve());
  }

  private async leave(worker: number, key: string, options: UnixSocketOptions): Promise<void> {
    const entry = this.entries.get(key);
    if (entry === undefined || !entry.holders.delete(worker) || entry.holders.size > 0) return;
    this.entries.delete(key);
    await entry.socket.remove(options);
  }
}

function create(options: UnixSocketOptions): Entry {
  const socket = new OwnUnixSocket();
  return { socket, temporary: socket.prepare(options), placed: undefined, holders: new Set() };
}
