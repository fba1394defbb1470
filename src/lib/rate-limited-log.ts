import type { Logger } from './logger.js';

/** The interval in which one kind of line is logged at most once, in milliseconds. */
const intervalMs = 60_000;

/** Logs warnings that clients can cause at will, at most one a minute of each kind, so that they can't fill the log. */
export class RateLimitedLog {
  private readonly kinds = new Map<string, { readonly loggedMs: number; suppressed: number }>();

  constructor(
    private readonly log: Pick<Logger, 'warn'>,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Logs a warning, unless one of this kind was logged in the last minute. Suppressed ones are counted, and the next line says how many.
   *
   * @param kind one of a few fixed texts, never one that a client chooses
   */
  warn(kind: string, fields: object, message: string): void {
    const nowMs = this.now();
    const last = this.kinds.get(kind);
    if (last !== undefined && nowMs - last.loggedMs < intervalMs) {
      last.suppressed += 1;
      return;
    }
    this.kinds.set(kind, { loggedMs: nowMs, suppressed: 0 });
    const suppressed = last?.suppressed ?? 0;
    if (suppressed === 0) this.log.warn(fields, message);
    else this.log.warn({ ...fields, suppressed }, `${message} (and ${suppressed} more since the last such line)`);
  }
}
