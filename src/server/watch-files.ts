import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface Watch {
  close(): void;
}

/**
 * Calls `onChange` when a file has changed, appeared or disappeared. Changes are debounced: it waits until no file has changed
 * since the previous poll, so that files replaced one after the other cause one call. Changes after this function returns are
 * noticed, so call it before reading the files.
 *
 * It polls, since files are often replaced by renaming, or by changing a link above them as Kubernetes does. The system's
 * notifications would then be about the old file, or about none.
 *
 * @param everyMs the interval of polls, in milliseconds
 */
export function watchFiles(paths: readonly string[], onChange: () => void, everyMs = 2000): Watch {
  let reported = paths.map(fingerprintNow).join();
  let last = reported;
  let open = true;
  const poll = async (): Promise<void> => {
    const now = (await Promise.all(paths.map(fingerprint))).join();
    if (!open) return;
    const settled = now === last;
    last = now;
    if (settled && now !== reported) {
      reported = now;
      onChange();
    }
    if (open) timer = setTimeout(() => void poll(), everyMs).unref();
  };
  let timer = setTimeout(() => void poll(), everyMs).unref();
  return {
    close: () => {
      open = false;
      clearTimeout(timer);
    },
  };
}

function fingerprintNow(path: string): string {
  try {
    return textOf(statSync(path, { bigint: true }));
  } catch (error) {
    return codeOf(error);
  }
}

/** The same, without blocking the process while a disk doesn't respond. */
function fingerprint(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(textOf, codeOf);
}

/** Changes whenever a file's content does. */
function textOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}
