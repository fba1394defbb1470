/** How often to look, in milliseconds. */
const intervalMs = 500;

/**
 * Resolves when the process that started this one is gone, if that was npm. Otherwise never: a daemon outlives its parent. `npx` gives SIGTERM
 * to a shell in between, which ends without passing it on.
 */
export function npmGone(process: Pick<NodeJS.Process, 'env' | 'ppid'>): Promise<'SIGTERM'> {
  return new Promise((resolve) => {
    if (process.env['npm_command'] === undefined) return;
    const parent = process.ppid;
    const looking = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(looking);
      resolve('SIGTERM');
    }, intervalMs).unref();
  });
}
