import type { Logger } from 'pino';
import type { Config } from '../config/types.js';
import { createLog } from './log.js';

/** A line of the log, with the time when it was logged, in milliseconds since 1970-01-01 UTC. */
export interface TimedLine {
  readonly ms: number;
  /** With its line break. */
  readonly text: string;
}

/** How long a worker gathers lines before it sends them, in milliseconds. */
const gatherMs = 100;

/** With so many lines they are sent at once. */
const maxGathered = 1000;

/** The log of a worker, whose lines the primary writes. */
export class WorkerLog {
  readonly log: Logger;
  private gathered: TimedLine[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** @param send resolves when the primary has the lines */
  constructor(
    level: Config['logLevel'],
    format: 'text' | 'json',
    private readonly send: (lines: readonly TimedLine[]) => Promise<unknown>,
  ) {
    this.log = createLog(level, format, { write: (text) => this.add(text) });
  }

  /** Sends what was gathered, and resolves when the primary has that and all that was sent to it before. Nothing is sent afterwards. */
  async close(): Promise<void> {
    await this.flush();
    this.log.level = 'silent';
  }

  private add(text: string): void {
    this.gathered.push({ ms: Date.now(), text });
    if (this.gathered.length >= maxGathered) void this.flush();
    else this.timer ??= setTimeout(() => void this.flush(), gatherMs).unref();
  }

  private async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const lines = this.gathered;
    this.gathered = [];
    // Without the primary, nobody could be told.
    await this.send(lines).catch(() => undefined);
  }
}

/** Lines of workers arrive so much later than the primary's own, and than those of other workers, in milliseconds, and a little more. */
const holdMs = 3 * gatherMs;

/** Brings the lines of several processes into the order of their times. */
export class LineMerger {
  private held: TimedLine[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly output: (text: string) => void) {}

  add(lines: readonly TimedLine[]): void {
    for (const line of lines) this.held.push(line);
    this.timer ??= setTimeout(() => this.write(Date.now() - holdMs), holdMs).unref();
  }

  /** Writes all lines that are held. */
  flush(): void {
    this.write(Infinity);
  }

  private write(untilMs: number): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    // The order of lines of the same time, and so of one process, is kept.
    const sorted = this.held.sort((a, b) => a.ms - b.ms);
    const due = sorted.findIndex(({ ms }) => ms > untilMs);
    const text = sorted.splice(0, due === -1 ? sorted.length : due).map((line) => line.text);
    if (text.length > 0) this.output(text.join(''));
    if (sorted.length > 0) this.timer = setTimeout(() => this.write(Date.now() - holdMs), gatherMs).unref();
  }
}
