import { canceled, StoreError } from '../core/errors.js';
import type { Logger } from '../lib/logger.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext, Store } from '../core/store.js';
import { objectName, Scan } from './scan.js';

export interface UsageOptions {
  /** The store's name, for the log. */
  readonly name: string;
  readonly log: Pick<Logger, 'warn'>;
  /** How long after a scan the next one begins, and how long after one that failed, in milliseconds. */
  readonly everyMs?: number;
  readonly retryMs?: number;
}

const hourMs = 3600 * 1000;
const minuteMs = 60 * 1000;

/** A scan takes up no more than a part of the time: after a long one the next one waits for so many times as long. */
const restFactor = 20;

/**
 * How many bytes of packfiles and states a store has: found out by a scan, then kept up to date by what goes through here,
 * and checked by a scan now and then, as others may write to the store.
 */
export class Usage {
  private stored: number | undefined;
  /** The names that are being put, and by how many. */
  private readonly underWay = new Map<string, number>();
  private scan: Scan | undefined;
  private scanning: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly stopped = new AbortController();

  constructor(
    private readonly store: Store,
    private readonly options: UsageOptions,
  ) {}

  /** In bytes, without uploads that are under way; undefined before the first scan. */
  get bytes(): number | undefined {
    return this.stored;
  }

  /** Begins the first scan, in the background. */
  start(): void {
    if (this.stopped.signal.aborted || this.scanning !== undefined || this.timer !== undefined) return;
    this.scanning = this.scanNow().finally(() => (this.scanning = undefined));
  }

  /** Ends a scan that is under way, and begins no further one. Never fails. */
  async stop(): Promise<void> {
    this.stopped.abort(canceled());
    clearTimeout(this.timer);
    await this.scanning;
  }

  /**
   * Resolves once the bytes are known. Fails with `unavailable` where a scan failed and the next one has not begun yet,
   * and with `canceled` where the signal aborts first.
   */
  async known({ signal }: OpContext): Promise<void> {
    if (this.stored !== undefined) return;
    this.start();
    await until(this.scanning, signal);
    if (this.bytes !== undefined) return;
    throw new StoreError(
      'unavailable',
      "how much the store has can't be found out, and its quota needs that: try again later",
    );
  }

  /** To be told before a put begins. The function that it returns is called once, when the put is over. */
  putBegins(ref: ObjectRef): (createdBytes: number) => void {
    const name = objectName(ref);
    this.underWay.set(name, (this.underWay.get(name) ?? 0) + 1);
    this.scan?.putBegins(name);
    return (createdBytes) => {
      const others = (this.underWay.get(name) ?? 1) - 1;
      if (others > 0) this.underWay.set(name, others);
      else this.underWay.delete(name);
      if (createdBytes === 0) return;
      this.scan?.putCreated(name, createdBytes);
      if (this.stored !== undefined) this.stored += createdBytes;
    };
  }

  /** To be told when an object of this size was deleted. */
  deleted(bytes: number): void {
    this.scan?.deleted(bytes);
    if (this.stored !== undefined) this.stored = Math.max(0, this.stored - bytes);
  }

  private async scanNow(): Promise<void> {
    const { name, log, everyMs = hourMs, retryMs = minuteMs } = this.options;
    const { signal } = this.stopped;
    const startedMs = performance.now();
    const scan = new Scan(this.store, this.underWay.keys());
    this.scan = scan;
    try {
      await scan.run({ signal });
      const isSure = this.settle(scan);
      this.nextIn(isSure ? Math.max(everyMs, restFactor * (performance.now() - startedMs)) : retryMs);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, store: name }, "can't find out how much the store has");
      this.nextIn(retryMs);
    } finally {
      this.scan = undefined;
    }
  }

  /**
   * Where nobody else writes, what was counted along the way is right already, and within what the scan found. Otherwise the scan
   * knows better. Resolves to whether it is certain.
   */
  private settle(scan: Scan): boolean {
    const { least, most } = scan.bounds(this.underWay);
    const isFirst = this.stored === undefined;
    this.stored = Math.min(Math.max(this.stored ?? most, least), most);
    return !isFirst || least === most;
  }

  private nextIn(ms: number): void {
    if (this.stopped.signal.aborted) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.start();
    }, ms).unref();
  }
}

/** Waits for what never fails, or until the signal aborts. */
async function until(work: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw canceled(signal.reason);
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(canceled(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
