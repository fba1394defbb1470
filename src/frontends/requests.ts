import { randomBytes } from 'node:crypto';
import { StoreError } from '../core/errors.js';
import type { RequestObserver, RequestRecord } from '../core/request.js';
import type { Logger } from '../lib/logger.js';

/** The requests that a frontend is serving: tells of each, and knows when nothing is left to do. */
export class Requests {
  private busy = 0;
  private waiting: (() => void)[] = [];

  constructor(private readonly observers: readonly RequestObserver[]) {}

  start(protocol: RequestRecord['protocol'], method: string, path: string, caller: string): RequestRecord {
    this.busy++;
    return {
      protocol,
      method,
      path,
      status: '',
      received: 0,
      sent: 0,
      caller,
      principal: undefined,
      startedMs: performance.now(),
    };
  }

  /** Tells of a request whose caller has its answer, or is gone. Once for each start. */
  end(record: RequestRecord): void {
    const ms = performance.now() - record.startedMs;
    for (const observer of this.observers) observer.request(record, ms);
    this.leave();
  }

  /** Begins the work for a request, which may have to clean up after its caller is gone. */
  enter(): void {
    this.busy++;
  }

  /** Ends it. Once for each enter. */
  leave(): void {
    this.busy--;
    if (this.busy > 0) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** Resolves when every request has ended, and all work for it. */
  async idle(): Promise<void> {
    if (this.busy > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

/**
 * What a client is told of an error. Whatever is the gateway's own fault goes into the log with its cause; of what nobody
 * foresaw the client learns only the id under which the log has it.
 */
export function reportError(error: unknown, log: Logger): StoreError {
  const storeError = StoreError.from(error);
  const { code, message, cause } = storeError;
  if (code === 'internal') {
    const id = randomBytes(6).toString('hex');
    log.error({ id, code, err: cause ?? storeError }, message);
    return new StoreError(code, `${message} (the gateway's log has it under ${id})`, { cause });
  }
  if (code === 'unavailable' || code === 'no_space')
    log.warn({ code, ...(cause === undefined ? {} : { err: cause }) }, message);
  return storeError;
}
