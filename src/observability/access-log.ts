import type { RequestObserver } from '../core/request.js';

/** Lines are gathered up to this many bytes, and for this long, in milliseconds. */
const gatherBytes = 32 * 1024;
const gatherMs = 100;

export interface AccessLog extends RequestObserver {
  /** Writes what was gathered. */
  flush(): void;
}

/**
 * The access log in JSON: the same line for each request that the gateway's own log would write, put together by hand, and written
 * many at a time. That log takes longer for it than a small request takes as a whole.
 *
 * @param write takes some lines, newlines included
 * @param isOn whether lines are wanted now
 * @param maxBytes of a write, if no single line is longer
 */
export function jsonAccessLog(write: (lines: string) => void, isOn: () => boolean, maxBytes = gatherBytes): AccessLog {
  // As text, lines hold on to all that they were put together from, until the collector has moved it to where it stays for long.
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
      timer ??= setTimeout(flush, gatherMs).unref();
    },
  };
}

/** Text as JSON has it. Nearly all of it is as it was, and that is told in less time than it takes to write it anew. */
function quote(text: string): string {
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}
