import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** The thread is sent the bytes in batches of this size. */
const batchBytes = 1024 * 1024;

/** Fewer bytes than these are hashed right away: a message to the thread and its answer would take longer. */
const minBytes = 64 * 1024;

/** How many batches of one hash the thread may have before `update` waits. */
const maxPending = 2;

/** How many empty batches are kept for reuse. */
const maxFree = 8;

/** The thread's program. It is text, because a file would need a different loader when run from source than when compiled. */
const program = `
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
const hashes = new Map();
parentPort.on('message', ({ id, batch, length, end }) => {
  if (batch === undefined) return void hashes.delete(id);
  const hash = hashes.get(id) ?? createHash('sha256');
  hash.update(new Uint8Array(batch, 0, length));
  if (end) hashes.delete(id);
  else hashes.set(id, hash);
  parentPort.postMessage({ id, batch, digest: end ? hash.digest() : undefined }, [batch]);
});
`;

interface Answer {
  readonly id: number;
  readonly batch: ArrayBuffer;
  readonly digest: Uint8Array | undefined;
}

/** A SHA-256 of bytes that come in chunks. */
export interface Sha256 {
  /** Adds a chunk, which may be reused when this returns or, if that is a promise, resolves. */
  update(chunk: Uint8Array): void | Promise<void>;

  /** Says that nothing follows, so that the thread can come to its end while the caller does something else. Optional. */
  end(): void;

  /** Resolves to the 32 bytes. Nothing may be added afterwards. */
  digest(): Promise<Buffer>;

  /** To be called instead of `digest` if that isn't needed. */
  discard(): void;
}

/**
 * Computes SHA-256 in a worker thread, since a MiB takes up to a millisecond: an event loop that hashes uploads has that much less time for
 * other requests. The first hash of more than some KiB starts the thread, which doesn't keep the process running. If the thread crashes, the
 * hashes that it has fail, and the next one starts another thread.
 */
export class Sha256Thread {
  private worker: Worker | undefined;
  private readonly hashes = new Map<number, ThreadHash>();
  private readonly free: ArrayBuffer[] = [];
  private lastId = 0;

  newHash(): Sha256 {
    const id = ++this.lastId;
    return new ThreadHash({
      takeBatch: () => this.free.pop() ?? new ArrayBuffer(batchBytes),
      giveBatch: (batch) => this.giveBatch(batch),
      send: (hash, batch, length, end) => {
        this.hashes.set(id, hash);
        (this.worker ??= this.start()).postMessage({ id, batch, length, end }, [batch]);
      },
      discard: () => {
        if (this.hashes.delete(id)) this.worker?.postMessage({ id });
      },
    });
  }

  private start(): Worker {
    // The thread needs neither the process's loaders nor its environment.
    const worker = new Worker(program, { eval: true, execArgv: [], env: {} });
    // An earlier unref is undone when the thread comes online.
    worker.once('online', () => worker.unref());
    worker.on('message', ({ id, batch, digest }: Answer) => {
      this.giveBatch(batch);
      const hash = this.hashes.get(id);
      if (digest !== undefined) this.hashes.delete(id);
      hash?.answered(digest);
    });
    worker.on('error', (error) => {
      this.worker = undefined;
      const failed = [...this.hashes.values()];
      this.hashes.clear();
      for (const hash of failed) hash.failed(error);
    });
    return worker;
  }

  private giveBatch(batch: ArrayBuffer): void {
    if (this.free.length < maxFree) this.free.push(batch);
  }
}

/** The thread that the whole process shares. */
export const sha256Thread = new Sha256Thread();

interface Thread {
  takeBatch(): ArrayBuffer;
  giveBatch(batch: ArrayBuffer): void;
  send(hash: ThreadHash, batch: ArrayBuffer, length: number, end: boolean): void;
  discard(): void;
}

class ThreadHash implements Sha256 {
  private batch: Uint8Array | undefined;
  private filled = 0;
  /** How many batches the thread has. */
  private pending = 0;
  private hasSent = false;
  private hasEnded = false;
  private isDiscarded = false;
  private result: Uint8Array | undefined;
  private error: Error | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly thread: Thread) {}

  update(chunk: Uint8Array): void | Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && !this.isDiscarded) {
      if (this.pending >= maxPending) return this.updateLater(rest);
      this.batch ??= new Uint8Array(this.thread.takeBatch());
      const part = rest.subarray(0, batchBytes - this.filled);
      this.batch.set(part, this.filled);
      this.filled += part.length;
      rest = rest.subarray(part.length);
      if (this.filled === batchBytes) this.send(this.batch, false);
    }
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const batch = this.batch ?? new Uint8Array(this.thread.takeBatch());
    if (this.hasSent || this.filled >= minBytes) return this.send(batch, true);
    this.result = createHash('sha256').update(batch.subarray(0, this.filled)).digest();
    this.thread.giveBatch(batch.buffer as ArrayBuffer);
  }

  async digest(): Promise<Buffer> {
    this.end();
    while (this.result === undefined) await this.answer();
    return Buffer.from(this.result);
  }

  discard(): void {
    this.isDiscarded = true;
    if (this.batch !== undefined) this.thread.giveBatch(this.batch.buffer as ArrayBuffer);
    this.thread.discard();
    this.wake?.();
  }

  /** The thread is done with a batch. @param digest after the last one */
  answered(digest: Uint8Array | undefined): void {
    this.pending--;
    this.result = digest;
    this.wake?.();
  }

  failed(error: Error): void {
    this.error = error;
    this.wake?.();
  }

  private async updateLater(rest: Uint8Array): Promise<void> {
    await this.answer();
    await this.update(rest);
  }

  private send({ buffer }: Uint8Array, end: boolean): void {
    if (this.error === undefined) this.thread.send(this, buffer as ArrayBuffer, this.filled, end);
    this.hasSent = true;
    this.pending++;
    this.batch = undefined;
    this.filled = 0;
  }

  /** Resolves when the thread is done with a batch, or the hash is discarded. Rejects if the thread crashes. */
  private async answer(): Promise<void> {
    const answered = new Promise<void>((resolve) => (this.wake = resolve));
    if (this.error === undefined) await answered;
    if (this.error !== undefined) throw this.error;
  }
}
