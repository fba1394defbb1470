import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface Watch {
  close(): void;
}

/**
 * Calls `onChange` when one of the files has changed (or came, or went) and all then stayed as they are until the next look, so
 * that files that are replaced one after the other are taken together. What changes after this returns is noticed: call it
 * before you read the files.
 *
 * It looks at the paths again and again: files are replaced by renaming, or by a link above them that is turned elsewhere, as
 * Kubernetes does. The system's notifications are about the old file, then, or about none.
 *
 * @param everyMs how often to look, in milliseconds
 */
export function watchFiles(paths: readonly string[], onChange: () => void, everyMs = 2000): Watch {
  let taken = paths.map(fingerprintNow).join();
  let last = taken;
  let open = true;
  const look = async (): Promise<void> => {
    const now = (await Promise.all(paths.map(fingerprint))).join();
    if (!open) return;
    const settled = now === last;
    last = now;
    if (settled && now !== taken) {
      taken = now;
      onChange();
    }
    if (open) timer = setTimeout(() => void look(), everyMs).unref();
  };
  let timer = setTimeout(() => void look(), everyMs).unref();
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

/** The same, without holding up everybody else while a disk doesn't answer. */
function fingerprint(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(textOf, codeOf);
}

/** What changes with a file's content, whichever way it changes. */
function textOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}
