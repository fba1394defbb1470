import { Worker } from 'node:worker_threads';
import { canceled, StoreError } from '../core/errors.js';
import { sourceOf } from '../lib/package-info.js';

/** How many comparisons may wait, of all callers together: at the usual cost of 10 they take about 15 seconds. */
const maxPending = 256;

/**
 * The thread's program. It is text, as is the library, because a file of ours would need a different loader when run from source than when
 * compiled, and the single executable has no files.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const library = { exports: {} };
require('node:vm').compileFunction(workerData.bcryptjs, ['module', 'exports', 'require'])(library, library.exports, require);
const { compareSync } = library.exports;
parentPort.on('message', ({ id, password, hash }) => {
  parentPort.postMessage({ id, same: compareSync(password, hash) });
});
`;

interface Pending {
  resolve(same: boolean): void;
  reject(error: unknown): void;
}

/**
 * Compares passwords with bcrypt hashes in a worker thread, one at a time: a comparison takes a tenth of a second by design, too long for
 * the event loop. The first comparison starts the thread, which doesn't keep the process running.
 */
export class BcryptWorker {
  private worker: Worker | undefined;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private closed = false;

  /**
   * Whether `hash` matches `password`. Fails with `too_many_requests` if too many comparisons wait, `unavailable` if the thread crashed
   * (the next comparison starts another one), `canceled` after `close`.
   *
   * @param hash one that `parseHtpasswd` accepts
   */
  async compare(password: string, hash: string): Promise<boolean> {
    if (this.closed) throw canceled();
    if (this.pending.size >= maxPending) {
      throw new StoreError('too_many_requests', 'too many passwords are waiting to be checked: try again later');
    }
    const worker = (this.worker ??= this.start());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      worker.postMessage({ id, password, hash });
    });
  }

  /** Ends the thread. Pending comparisons fail with `canceled`. */
  async close(): Promise<void> {
    this.closed = true;
    const { worker } = this;
    this.worker = undefined;
    this.failAll(canceled());
    await worker?.terminate();
  }

  private start(): Worker {
    const bcryptjs = sourceOf('bcryptjs');
    // The thread needs neither the process's loaders nor its environment.
    const worker = new Worker(program, { eval: true, workerData: { bcryptjs }, execArgv: [], env: {} });
    // An earlier unref is undone when the thread comes online.
    worker.once('online', () => worker.unref());
    worker.on('message', ({ id, same }: { id: number; same: boolean }) => {
      this.pending.get(id)?.resolve(same);
      this.pending.delete(id);
    });
    worker.on('error', (cause) => {
      this.worker = undefined;
      this.failAll(new StoreError('unavailable', "passwords can't be checked at the moment: try again", { cause }));
    });
    return worker;
  }

  private failAll(error: StoreError): void {
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of waiting) reject(error);
  }
}
