/** What an operation is told about its circumstances. */
interface OpContext {
  readonly signal: AbortSignal;
}

/** A number of places for what may only go on a few at a time. Who finds none waits for one, first come, first served. */
export class Slots {
  private taken = 0;
  /** Made when somebody has to wait: most never do. */
  private line: Set<() => void> | undefined;

  /** @param places how many there are */
  constructor(private places: number) {}

  /** Whether nobody has a place or waits for one. */
  get isIdle(): boolean {
    return this.taken === 0 && this.inLine === 0;
  }

  /** How many wait for one. */
  get inLine(): number {
    return this.line?.size ?? 0;
  }

  /** Takes a place if there is a free one. Whoever took one gives it back with `give`, once. */
  tryTake(): boolean {
    if (this.taken >= this.places) return false;
    this.taken++;
    return true;
  }

  /**
   * Takes a place, and waits for it where there is none. Resolves to false where it didn't get one in `waitMs` milliseconds.
   * Fails with the reason of `signal` where that aborts first.
   */
  async take(signal: AbortSignal, waitMs = Infinity): Promise<boolean> {
    signal.throwIfAborted();
    return this.tryTake() || (waitMs > 0 && (await this.wait(signal, waitMs)));
  }

  /** Gives a place back: to who has waited longest. */
  give(): void {
    const [next] = this.taken > this.places ? [] : (this.line ?? []);
    if (next === undefined) this.taken--;
    else next();
  }

  /** Changes how many places there are. Where more are taken, they stay so until they are given back. */
  resize(places: number): void {
    this.places = places;
    for (const next of this.line ?? []) {
      if (!this.tryTake()) return;
      next();
    }
  }

  /** Runs `work` in a place of its own. Fails with the reason of `ctx.signal` where that aborts before there is one. */
  async run<T>(ctx: OpContext, work: () => Promise<T>): Promise<T> {
    await this.take(ctx.signal);
    try {
      return await work();
    } finally {
      this.give();
    }
  }

  private wait(signal: AbortSignal, waitMs: number): Promise<boolean> {
    const line = (this.line ??= new Set());
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        line.delete(given);
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      const given = (): void => {
        leave();
        resolve(true);
      };
      const abort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      const tooLate = (): void => {
        leave();
        resolve(false);
      };
      const timer = Number.isFinite(waitMs) ? setTimeout(tooLate, waitMs) : undefined;
      signal.addEventListener('abort', abort, { once: true });
      line.add(given);
    });
  }
}
