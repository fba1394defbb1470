import { randomBytes } from 'node:crypto';
import { StoreError } from '../core/errors.js';
import type { RequestObserver, RequestRecord } from '../core/request.js';
import type { Logger } from '../lib/logger.js';

/** Tracks the requests of a frontend: reports each to the observers, and resolves `idle` when none is left. */
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

  /** Reports a request whose caller has its response or is gone. To be called once for each `start`. */
  end(record: RequestRecord): void {
    const ms = performance.now() - record.startedMs;
    for (const observer of this.observers) observer.request(record, ms);
    this.leave();
  }

  /** Counts a running handler, which may have to clean up after its caller is gone. */
  enter(): void {
    this.busy++;
  }

  /** To be called once for each `enter`. */
  leave(): void {
    this.busy--;
    if (this.busy > 0) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** Resolves when all requests and handlers have ended. */
  async idle(): Promise<void> {
    if (this.busy > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

/**
 * The error as clients may see it. The gateway's own failures are logged with their cause; of an unexpected one the client gets no more
 * than the id under which it was logged.
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
