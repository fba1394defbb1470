import { setTimeout as sleep } from 'node:timers/promises';
import { destination as logTo, type Logger } from 'pino';
import { jsonAccessLog } from './access-log.js';
import type { Config } from '../config/types.js';
import type { RequestObserver } from '../core/request.js';
import { createLog } from './log.js';

export interface ProgramLog {
  readonly log: Logger;
  /** Undefined: the log itself is to be told of requests. */
  readonly accessLog: RequestObserver | undefined;
  /** Writes what was gathered. Resolves when that is done, or can't be done now; from then on nothing is written. Never fails. */
  close(): Promise<void>;
}

export interface ProgramLogOptions {
  readonly isTerminal: boolean;
  /** Whether other processes write to the same place: a write is then no longer than a pipe takes in one piece. */
  readonly isShared: boolean;
}

/** PIPE_BUF of pipe(7), in bytes. */
const pipeBytes = 4096;

/** What waits for a log that can't be written, in bytes. What comes then is lost. */
const maxWaitingBytes = 8 * 1024 * 1024;

/** How long the last lines may take, in milliseconds: whoever reads them may have stopped. */
const flushMs = 1000;

/** The log on standard error. Lines are gathered for a moment: a write for each would cost more than the request that it is about. */
export function openProgramLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  { isTerminal, isShared }: ProgramLogOptions,
): ProgramLog {
  const size = isShared ? { minLength: pipeBytes / 2, maxWrite: pipeBytes } : { minLength: 4096 };
  const output = logTo({ dest: 2, sync: false, periodicFlush: 100, maxLength: maxWaitingBytes, ...size });
  // A log that nobody reads any more is no reason to stop serving.
  output.on('error', () => undefined);
  const format = logFormat ?? (isTerminal ? 'text' : 'json');
  const log = createLog(logLevel, format, output);
  const accessLog =
    format === 'json'
      ? jsonAccessLog(
          (lines) => output.write(lines),
          () => log.isLevelEnabled('info'),
          isShared ? pipeBytes : undefined,
        )
      : undefined;
  return {
    log,
    accessLog,
    close: async () => {
      accessLog?.flush();
      await written(output);
      // At the end of the process, pino would try for ever otherwise.
      log.level = 'silent';
      output.destroy();
    },
  };
}

/** Not by its flushSync, which tries for ever where the disk is full or nobody reads any more (sonic-boom 4.2). */
async function written(output: ReturnType<typeof logTo>): Promise<void> {
  const flush = (): Promise<void> => new Promise((resolve) => output.flush(() => resolve()));
  // What is being written, what has waited for that, and what that left as too little.
  const all = flush().then(flush).then(flush);
  await Promise.race([all, sleep(flushMs, undefined, { ref: true })]);
}
