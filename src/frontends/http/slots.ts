import type { OpContext } from '../../core/store.js';

/** A number of places for what may only go on a few at a time. Who finds none waits for one, first come, first served. */
export class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Runs `work` in a place of its own. Fails with the reason of `ctx.signal` where that aborts before there is one. */
  async run<T>(ctx: OpContext, work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await this.wait(ctx.signal);
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }

  private async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const given = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.waiting.splice(this.waiting.indexOf(given), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.waiting.push(given);
    });
  }
}
