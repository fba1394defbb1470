import type { RequestObserver } from '../core/request.js';

/** The size of the buffer, in bytes, and how long lines are buffered, in milliseconds. */
const bufferBytes = 32 * 1024;
const bufferMs = 100;

export interface AccessLog extends RequestObserver {
  /** Writes the buffered lines. */
  flush(): void;
}

/**
 * The access log in JSON, with the same lines that pino would write. They are formatted by hand and written in batches, since pino
 * takes longer for a line than a small request takes as a whole.
 *
 * @param write takes several lines, including newlines
 * @param isOn whether lines are to be written now
 * @param maxBytes of a write, unless a single line is longer
 */
export function jsonAccessLog(write: (lines: string) => void, isOn: () => boolean, maxBytes = bufferBytes): AccessLog {
  // Concatenated strings would keep all of their parts in memory.
  const lines = Buffer.allocUnsafeSlow(maxBytes);
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (bytes === 0) return;
    write(lines.toString('utf8', 0, bytes));
    bytes = 0;
  };
  return {
    flush,
    request: ({ protocol, method, path, status, received, sent, caller, principal }, ms) => {
      if (!isOn()) return;
      const what = `"protocol":"${protocol}","method":${quote(method)},"path":${quote(path)}`;
      const who = principal === undefined ? '' : `"principal":${quote(principal)},`;
      const outcome = `"status":${typeof status === 'number' ? status : quote(status)}`;
      const figures = `"received":${received},"sent":${sent},"ms":${Math.round(ms * 1000) / 1000}`;
      const line =
        `{"level":30,"time":${Date.now()},${what},"caller":${quote(caller)},${who}` +
        `${outcome},${figures},"msg":"request"}\n`;
      const mostBytes = line.length * 3;
      if (bytes + mostBytes > maxBytes) flush();
      if (mostBytes > maxBytes) return write(line);
      bytes += lines.write(line, bytes);
      timer ??= setTimeout(flush, bufferMs).unref();
    },
  };
}

/** A JSON string. Nearly all texts need no escapes, and the test is faster than JSON.stringify. */
function quote(text: string): string {
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}
