import { destination as logTo, type Logger } from 'pino';
import { jsonAccessLog } from './access-log.js';
import type { Config } from './config/types.js';
import type { RequestObserver } from './frontends/requests.js';
import { createLog } from './log.js';

export interface ProgramLog {
  readonly log: Logger;
  /** Undefined: the log itself is to be told of requests. */
  readonly accessLog: RequestObserver | undefined;
  /** Writes what was gathered, at once. */
  flush(): void;
}

export interface ProgramLogOptions {
  readonly isTerminal: boolean;
  /** Whether other processes write to the same place: a write is then no longer than a pipe takes in one piece. */
  readonly isShared: boolean;
}

/** PIPE_BUF of pipe(7), in bytes. */
const pipeBytes = 4096;

/** The log on standard error. Lines are gathered for a moment: a write for each would cost more than the request that it is about. */
export function openProgramLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  { isTerminal, isShared }: ProgramLogOptions,
): ProgramLog {
  const size = isShared ? { minLength: pipeBytes / 2, maxWrite: pipeBytes } : { minLength: 4096 };
  const output = logTo({ dest: 2, sync: false, periodicFlush: 100, ...size });
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
    flush: () => {
      accessLog?.flush();
      output.flushSync();
    },
  };
}
