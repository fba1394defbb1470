import { createRequire } from 'node:module';
import { pino, type DestinationStream, type Logger } from 'pino';
import type * as PinoPretty from 'pino-pretty';
import type { Config } from '../config/config.js';

const require = createRequire(import.meta.url);

/** The program's log: lines of JSON, or text for people. */
export function createLog(level: Config['logLevel'], format: 'text' | 'json', destination: DestinationStream): Logger {
  const options = { level, base: null };
  if (format === 'json') return pino(options, destination);
  // Loaded where it is needed: it takes some MiB. It is a CommonJS module.
  const { prettyFactory } = require('pino-pretty') as typeof PinoPretty;
  const pretty = prettyFactory({
    // The message contains what people need of the other fields.
    include: 'level,time,err',
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    messageFormat: (line, key) => printable(line['method'] === undefined ? String(line[key]) : accessLine(line)),
  });
  return pino(options, { write: (line) => destination.write(pretty(line)) });
}

/** A request in one line. */
function accessLine(line: Record<string, unknown>): string {
  const { method, path, status, received, sent, ms, caller } = line;
  return `${method} ${path} ${status}, ${received} B in, ${sent} B out, ${ms} ms, ${caller}`;
}

/** Escapes control characters, which callers could send to attack a terminal. */
function printable(text: string): string {
  return text.replaceAll(
    /[^\x20-\x7e\u00a1-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
