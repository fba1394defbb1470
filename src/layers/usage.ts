import { canceled, StoreError } from '../core/errors.js';
import type { Logger } from '../lib/logger.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext, Store } from '../core/store.js';
import type { Trash } from '../core/trash.js';
import { objectName, Scan } from './scan.js';

export interface UsageOptions {
  /** The store's name, for the log. */
  readonly name: string;
  readonly log: Pick<Logger, 'warn'>;
  /** The trash, if what is in it counts; looked up at each scan, since a store may be opened late. Default: it doesn't count. */
  readonly trash?: (() => Trash | undefined) | undefined;
  /** The pause after a scan, in milliseconds. */
  readonly everyMs?: number;
  /** The pause after a scan that failed, and the shortest before one that is asked for, in milliseconds. */
  readonly retryMs?: number;
}

const hourMs = 3600 * 1000;
const minuteMs = 60 * 1000;

/** The pause after a scan is at least so many times its duration, so that scans of large stores don't run all the time. */
const restFactor = 20;

/**
 * The total size of a store's packfiles and states, those in the trash included where they count: measured by a scan, then updated by each
 * put and delete, and corrected by a scan from time to time, because others may write to the store.
 */
export class Usage {
  private stored: number | undefined;
  /** The names of objects that are being put, and how many puts each has. */
  private readonly puts = new Map<string, number>();
  private scan: Scan | undefined;
  private scanning: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** On the clock of `performance`: when the next scan is due, and when it may begin at the earliest. */
  private dueMs = Infinity;
  private restedMs = -Infinity;
  private readonly stopped = new AbortController();

  constructor(
    private readonly store: Store,
    private readonly options: UsageOptions,
  ) {}

  /** In bytes, without running uploads; undefined before the first scan. */
  get bytes(): number | undefined {
    return this.stored;
  }

  /** Starts the first scan, in the background. */
  start(): void {
    if (this.stopped.signal.aborted || this.scanning !== undefined || this.timer !== undefined) return;
    this.scanning = this.scanNow().finally(() => (this.scanning = undefined));
  }

  /**
   * Asks for a scan soon, in the background, because others may have made room. However often it is called, the scans take a small part of
   * the time.
   */
  rescan(): void {
    const earliestMs = Math.max(this.restedMs, performance.now());
    if (this.timer === undefined || this.dueMs <= earliestMs) return;
    clearTimeout(this.timer);
    this.nextIn(earliestMs - performance.now());
  }

  /** Ends a running scan, and starts no further one. Never rejects. */
  async stop(): Promise<void> {
    this.stopped.abort(canceled());
    clearTimeout(this.timer);
    await this.scanning;
  }

  /**
   * Resolves to the size once it is known. Fails with `unavailable` if a scan failed and the next one has not started yet, and with `canceled` if
   * the signal aborts first.
   */
  async known({ signal }: OpContext): Promise<number> {
    if (this.stored !== undefined) return this.stored;
    this.start();
    await until(this.scanning, signal);
    if (this.bytes !== undefined) return this.bytes;
    throw new StoreError(
      'unavailable',
      "the store's size, which its quota depends on, can't be determined: try again later",
    );
  }

  /** Must be called before a put begins. The returned function must be called once, when the put has ended. */
  putBegins(ref: ObjectRef): (createdBytes: number) => void {
    const name = objectName(ref);
    this.puts.set(name, (this.puts.get(name) ?? 0) + 1);
    this.scan?.putBegins(name);
    return (createdBytes) => {
      const others = (this.puts.get(name) ?? 1) - 1;
      if (others > 0) this.puts.set(name, others);
      else this.puts.delete(name);
      if (createdBytes === 0) return;
      this.scan?.putCreated(name, createdBytes);
      if (this.stored !== undefined) this.stored += createdBytes;
    };
  }

  /** Must be called when an object of this size was deleted. */
  deleted(bytes: number): void {
    this.scan?.deleted(bytes);
    if (this.stored !== undefined) this.stored = Math.max(0, this.stored - bytes);
  }

  /** Must be called when an object of this size was moved to the trash, where it counts. */
  trashed(bytes: number): void {
    this.scan?.deleted(bytes);
  }

  private async scanNow(): Promise<void> {
    const { name, log, everyMs = hourMs, retryMs = minuteMs } = this.options;
    const { signal } = this.stopped;
    const startedMs = performance.now();
    const scan = new Scan(this.store, this.puts.keys(), this.options.trash?.());
    this.scan = scan;
    try {
      await scan.run({ signal });
      const isSure = this.settle(scan);
      const restMs = this.restAfter(startedMs);
      this.nextIn(isSure ? Math.max(everyMs, restMs) : retryMs);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, store: name }, "the store's size can't be determined");
      this.restAfter(startedMs);
      this.nextIn(retryMs);
    } finally {
      this.scan = undefined;
    }
  }

  /**
   * Takes over a scan's result. Unless others write to the store, the updated size is within the scan's bounds already. Returns whether the
   * size is certain.
   */
  private settle(scan: Scan): boolean {
    const { least, most } = scan.bounds(this.puts);
    const isFirst = this.stored === undefined;
    this.stored = Math.min(Math.max(this.stored ?? most, least), most);
    return !isFirst || least === most;
  }

  /** Notes that a scan has just ended, and returns how long the rest after it is at least: its share of the time, in milliseconds. */
  private restAfter(startedMs: number): number {
    const nowMs = performance.now();
    const restMs = restFactor * (nowMs - startedMs);
    this.restedMs = nowMs + Math.max(this.options.retryMs ?? minuteMs, restMs);
    return restMs;
  }

  private nextIn(ms: number): void {
    if (this.stopped.signal.aborted) return;
    this.dueMs = performance.now() + ms;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.start();
    }, ms).unref();
  }
}

/** Waits for `work`, which never rejects. Fails with `canceled` if the signal aborts first. */
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
