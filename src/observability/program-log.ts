import { setTimeout as sleep } from 'node:timers/promises';
import { destination as logTo, type Logger } from 'pino';
import type { Config } from '../config/types.js';
import { createLog } from './log.js';
import { LineMerger, type TimedLine } from './worker-log.js';

export interface ProgramLog {
  readonly log: Logger;
  /** Adds lines of worker processes, in the order of their times. */
  add(lines: readonly TimedLine[]): void;
  /** Writes buffered lines, but waits no longer than a second. Nothing is written afterwards. Never fails. */
  close(): Promise<void>;
}

export interface ProgramLogOptions {
  readonly isTerminal: boolean;
  /** Whether there are worker processes, whose lines are added. */
  readonly hasWorkers: boolean;
}

/** The limit of buffered lines while the log can't be written, in bytes. Further lines are lost. */
const maxBufferedBytes = 8 * 1024 * 1024;

/** The timeout of the last flush, in milliseconds: the reader of a pipe may have stopped. */
const flushMs = 1000;

/** The log on stderr. Lines are buffered for a moment: a write for each would cost more than the request that it is about. */
export function openProgramLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  { isTerminal, hasWorkers }: ProgramLogOptions,
): ProgramLog {
  const output = logTo({ dest: 2, sync: false, periodicFlush: 100, maxLength: maxBufferedBytes, minLength: 4096 });
  // If the log can't be written, the gateway continues.
  output.on('error', () => undefined);
  const merger = new LineMerger((text) => void output.write(text));
  const ordered = { write: (text: string) => merger.add([{ ms: Date.now(), text }]) };
  const log = createLog(logLevel, formatOf(logFormat, isTerminal), hasWorkers ? ordered : output);
  return {
    log,
    add: (lines) => merger.add(lines),
    close: async () => {
      merger.flush();
      await flushed(output);
      // Otherwise pino would retry forever at the end of the process.
      log.level = 'silent';
      output.destroy();
    },
  };
}

/** The format of log lines where nothing is configured: text for people, JSON for everything else. */
export function formatOf(logFormat: Config['logFormat'], isTerminal: boolean): 'text' | 'json' {
  return logFormat ?? (isTerminal ? 'text' : 'json');
}

/** Flushes the output. Its flushSync would retry forever if the disk is full or the reader has stopped (sonic-boom 4.2). */
async function flushed(output: ReturnType<typeof logTo>): Promise<void> {
  const flush = (): Promise<void> => new Promise((resolve) => output.flush(() => resolve()));
  // A flush covers the running write only: the second one covers lines buffered during that, the third one a remainder below minLength.
  const all = flush().then(flush).then(flush);
  await Promise.race([all, sleep(flushMs, undefined, { ref: true })]);
}
