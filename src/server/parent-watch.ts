import { setTimeout as sleep } from 'node:timers/promises';

/** How often to look, in milliseconds. */
const intervalMs = 500;

/**
 * Resolves when the process that started this one is gone, if that was npm. Otherwise never: a daemon outlives its parent. `npx` gives SIGTERM
 * to a shell in between, which ends without passing it on.
 */
export async function npmGone(process: Pick<NodeJS.Process, 'env' | 'ppid'>): Promise<'SIGTERM'> {
  if (process.env['npm_command'] === undefined) return new Promise(() => undefined);
  const parent = process.ppid;
  while (process.ppid === parent) await sleep(intervalMs, undefined, { ref: false });
  return 'SIGTERM';
}
