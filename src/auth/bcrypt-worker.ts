import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { canceled, StoreError } from '../core/errors.js';

/** Passwords that may wait to be checked, of everyone together: at the usual cost of 10 some 15 seconds' work. */
const maxPending = 256;

/**
 * What the thread runs. As text, since a file of ours has one name and needs one loader when it runs from its source, and others
 * when it is compiled.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const { compareSync } = require(workerData.bcryptjs);
parentPort.on('message', ({ id, password, hash }) => {
  parentPort.postMessage({ id, same: compareSync(password, hash) });
});
`;

interface Pending {
  resolve(same: boolean): void;
  reject(error: unknown): void;
}

/**
 * Compares passwords with bcrypt's hashes, one after the other in a thread of its own: a comparison takes a tenth of a second by
 * intention, which nobody else's request may stand still for. The thread is started when the first password comes, and doesn't
 * keep the program running.
 */
export class BcryptWorker {
  private worker: Worker | undefined;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private closed = false;

  /**
   * Whether `hash` was made of `password`. Fails with `too_many_requests` where too many comparisons wait, `unavailable` where
   * the thread broke down (the next comparison starts another), `canceled` after `close`.
   *
   * @param hash one that `parseHtpasswd` took
   */
  async compare(password: string, hash: string): Promise<boolean> {
    if (this.closed) throw canceled();
    if (this.pending.size >= maxPending) {
      throw new StoreError('too_many_requests', 'too many passwords are being checked: try again in a while');
    }
    const worker = (this.worker ??= this.start());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      worker.postMessage({ id, password, hash });
    });
  }

  /** Ends the thread. What is waiting fails with `canceled`. */
  async close(): Promise<void> {
    this.closed = true;
    const { worker } = this;
    this.worker = undefined;
    this.failAll(canceled());
    await worker?.terminate();
  }

  private start(): Worker {
    const bcryptjs = createRequire(import.meta.url).resolve('bcryptjs');
    // Neither the program's loaders nor its environment are of any use there.
    const worker = new Worker(program, { eval: true, workerData: { bcryptjs }, execArgv: [], env: {} });
    // Before it runs, that would be undone.
    worker.once('online', () => worker.unref());
    worker.on('message', ({ id, same }: { id: number; same: boolean }) => {
      this.pending.get(id)?.resolve(same);
      this.pending.delete(id);
    });
    worker.on('error', (cause) => {
      this.worker = undefined;
      this.failAll(new StoreError('unavailable', "passwords can't be checked now: try again", { cause }));
    });
    return worker;
  }

  private failAll(error: StoreError): void {
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of waiting) reject(error);
  }
}
