import type { Logger } from './logger.js';

/** How often one kind of line is logged at most, in milliseconds. */
const everyMs = 60_000;

/** Logs what strangers can cause, so that they can't fill the log with it: one line a minute of each kind. */
export class OccasionalLog {
  private readonly kinds = new Map<string, { atMs: number; unsaid: number }>();

  constructor(
    private readonly log: Pick<Logger, 'warn'>,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Warns, unless a warning of this kind was logged in the last minute. Then it is counted, and the next one says how many.
   *
   * @param kind one of a few fixed texts, never a stranger's
   */
  warn(kind: string, fields: object, message: string): void {
    const atMs = this.now();
    const last = this.kinds.get(kind);
    if (last !== undefined && atMs - last.atMs < everyMs) {
      last.unsaid += 1;
      return;
    }
    this.kinds.set(kind, { atMs, unsaid: 0 });
    const unsaid = last?.unsaid ?? 0;
    if (unsaid === 0) this.log.warn(fields, message);
    else this.log.warn({ ...fields, unsaid }, `${message} (and ${unsaid} more like this since the last such line)`);
  }
}
