import type { Bench } from '../bench.js';
import type { Contestant } from '../case.js';
import type { Job } from '../driver.js';
import { startGateway } from '../servers/gateway.js';
import { startNginx } from '../servers/nginx.js';
import { startPlakar } from '../servers/plakar.js';
import { startRestServer } from '../servers/rest-server.js';
import type { HttpTarget } from '../servers/target.js';

/** Every server that a store can be read from over HTTP; in the short mode those that the goals are about. */
export async function startReaders(bench: Bench, store: string): Promise<HttpTarget[]> {
  const all = [await startGateway(bench, store), await startPlakar(bench, store)];
  if (!bench.options.short) all.push(await startRestServer(bench, store), await startNginx(bench, store));
  return all.filter((target) => target !== undefined);
}

/** Until a compiler at run time has seen enough of the code. */
const warmUpSeconds = 3;

/** A job as it is in a round. The first, which doesn't count, takes no less than it takes to warm up. */
export function inRound(job: Job, round: number): Job {
  const { seconds = 0 } = job;
  return { ...job, seed: round, ...(round === 0 && seconds > 0 ? { seconds: Math.max(seconds, warmUpSeconds) } : {}) };
}

/** A server as a contestant in one job. */
export function asked(bench: Bench, target: HttpTarget, job: Job, more: Partial<Contestant> = {}): Contestant {
  return {
    name: target.name,
    server: () => target.server,
    run: (round) => bench.drive({ client: 'raw', ...target.http, ...inRound(job, round) }),
    ...more,
  };
}

/** How many operations move `budget` bytes: a multiple of the connections, so that none idles at the end. */
export function opsFor(bench: Bench, sizeBytes: number, connections: number): number {
  const budget = bench.options.short ? 2 ** 29 : 2 ** 32;
  return Math.max(1, Math.round(budget / sizeBytes / connections)) * connections;
}
