import { UnixSocketPublisher, type UnixSocketOptions } from '../../net/unix-socket.js';

interface Entry {
  readonly socket: UnixSocketPublisher;
  readonly temporary: Promise<string>;
  placed: Promise<void> | undefined;
  /** The workers that listen there, or are about to. */
  readonly holders: Set<number>;
}

/**
 * The unix sockets that workers share. They listen by the path where the socket is made, by which the cluster knows that it is the same
 * one; the first of them has it put into its place, and it is removed when the last one is done.
 */
export class SharedUnixSockets {
  private readonly entries = new Map<string, Entry>();
  private last: Promise<unknown> = Promise.resolve();

  prepare(worker: number, options: UnixSocketOptions): Promise<string> {
    return this.inTurn(async () => {
      const key = JSON.stringify(options);
      const entry = this.entries.get(key) ?? this.make(options);
      const temporary = await entry.temporary;
      entry.holders.add(worker);
      this.entries.set(key, entry);
      return temporary;
    });
  }

  place(options: UnixSocketOptions): Promise<void> {
    return this.inTurn(async () => {
      const entry = this.entries.get(JSON.stringify(options));
      if (entry !== undefined) await (entry.placed ??= entry.socket.publish(options));
    });
  }

  remove(worker: number, options: UnixSocketOptions): Promise<void> {
    return this.inTurn(() => this.leave(worker, JSON.stringify(options), options));
  }

  /** A worker is gone. */
  gone(worker: number): Promise<void> {
    return this.inTurn(async () => {
      for (const key of this.entries.keys()) await this.leave(worker, key, JSON.parse(key) as UnixSocketOptions);
    });
  }

  /** Resolves when everything that was asked for so far is done. */
  settled(): Promise<void> {
    return this.inTurn(() => Promise.resolve());
  }

  private make(options: UnixSocketOptions): Entry {
    const socket = new UnixSocketPublisher();
    return { socket, temporary: socket.prepare(options), placed: undefined, holders: new Set() };
  }

  private async leave(worker: number, key: string, options: UnixSocketOptions): Promise<void> {
    const entry = this.entries.get(key);
    if (entry === undefined || !entry.holders.delete(worker) || entry.holders.size > 0) return;
    this.entries.delete(key);
    await entry.socket.remove(options);
  }

  /** One thing at a time: a path that one has just left is there for the next one. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }
}
