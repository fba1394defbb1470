import { pino, type DestinationStream, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Config } from '../config/config.js';

/**
 * The program's log: JSON, one object a line, or text for people.
 *
 * @param destination where lines go, for instance a pino destination
 */
export function createLog(level: Config['logLevel'], format: 'text' | 'json', destination: DestinationStream): Logger {
  const options = { level, base: null };
  if (format === 'json') return pino(options, destination);
  const pretty = prettyFactory({
    // What people need of the other fields is in the message.
    include: 'level,time,err',
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    messageFormat: (line, key) => printable(line['method'] === undefined ? String(line[key]) : accessLine(line)),
  });
  return pino(options, { write: (line) => destination.write(pretty(line)) });
}

/** A request in one line: what was asked, what came of it, how much went in and out, how long it took, and who asked. */
function accessLine(line: Record<string, unknown>): string {
  const { method, path, status, received, sent, ms, caller } = line;
  return `${method} ${path} ${status}, ${received} B in, ${sent} B out, ${ms} ms, ${caller}`;
}

/** Control characters in what callers send must not reach a terminal. */
function printable(text: string): string {
  return text.replaceAll(
    /[^\x20-\x7e\u00a1-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
