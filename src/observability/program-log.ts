import { setTimeout as sleep } from 'node:timers/promises';
import { destination as logTo, type Logger } from 'pino';
import type { Config } from '../config/types.js';
import { createLog } from './log.js';

export interface ProgramLog {
  readonly log: Logger;
  /** Writes buffered lines, but waits no longer than a second. Nothing is written afterwards. Never fails. */
  close(): Promise<void>;
}

export interface ProgramLogOptions {
  readonly isTerminal: boolean;
  /** Whether other processes write to the same pipe. Writes are then limited to the size that a pipe writes atomically. */
  readonly isShared: boolean;
}

/** PIPE_BUF of pipe(7), in bytes. */
const pipeBytes = 4096;

/** The limit of buffered lines while the log can't be written, in bytes. Further lines are lost. */
const maxBufferedBytes = 8 * 1024 * 1024;

/** The timeout of the last flush, in milliseconds: the reader of a pipe may have stopped. */
const flushMs = 1000;

/** The log on stderr. Lines are buffered for a moment: a write for each would cost more than the request that it is about. */
export function openProgramLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  { isTerminal, isShared }: ProgramLogOptions,
): ProgramLog {
  const size = isShared ? { minLength: pipeBytes / 2, maxWrite: pipeBytes } : { minLength: 4096 };
  const output = logTo({ dest: 2, sync: false, periodicFlush: 100, maxLength: maxBufferedBytes, ...size });
  // If the log can't be written, the gateway continues.
  output.on('error', () => undefined);
  const format = logFormat ?? (isTerminal ? 'text' : 'json');
  const log = createLog(logLevel, format, output);
  return {
    log,
    close: async () => {
      await flushed(output);
      // Otherwise pino would retry forever at the end of the process.
      log.level = 'silent';
      output.destroy();
    },
  };
}

/** Flushes the output. Its flushSync would retry forever if the disk is full or the reader has stopped (sonic-boom 4.2). */
async function flushed(output: ReturnType<typeof logTo>): Promise<void> {
  const flush = (): Promise<void> => new Promise((resolve) => output.flush(() => resolve()));
  // A flush covers the running write only: the second one covers lines buffered during that, the third one a remainder below minLength.
  const all = flush().then(flush).then(flush);
  await Promise.race([all, sleep(flushMs, undefined, { ref: true })]);
}
