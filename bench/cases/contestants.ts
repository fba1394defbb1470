import type { Bench } from '../bench.js';
import type { Case, Contestant, Spec } from '../case.js';
import type { Job } from '../driver.js';
import { startGateway } from '../servers/gateway.js';
import { startNginx } from '../servers/nginx.js';
import { startPlakar } from '../servers/plakar.js';
import { startRestServer } from '../servers/rest-server.js';
import { stopAll, type HttpTarget } from '../servers/target.js';
import { emptyStore, newStore } from '../stores.js';

/** One of several gateways in a case. */
export interface Variant {
  /** A part of the contestant's name. */
  readonly name?: string;
  /** More options for the gateway. */
  readonly args?: readonly string[];
}

export interface HttpServers {
  readonly tls: boolean;
  /** Default: the gateway with its defaults. */
  readonly variants?: readonly Variant[];
}

/** Starts servers for reading one store: each variant of the gateway on each Node, plakar and, without TLS, the other opponents. */
export async function startReaders(
  bench: Bench,
  store: string,
  { tls, variants = [{}] }: HttpServers,
): Promise<HttpTarget[]> {
  const targets: (HttpTarget | undefined)[] = [];
  for (const { name, args = [] } of variants) {
    for (const node of bench.options.nodes) {
      targets.push(await startGateway(bench, node, [store, ...args], { variant: name, tls }));
    }
  }
  targets.push(await startPlakar(bench, store, { tls }));
  if (bench.hasAllOpponents && !tls) {
    targets.push(await startRestServer(bench, store), await startNginx(bench, store));
  }
  return present(targets);
}

/** A server that may be written to, and its store. */
export interface Writer {
  readonly target: HttpTarget;
  readonly store: string;
}

/** Starts servers for writing, each with an empty store: the same as for reading, but for nginx. */
export async function startWriters(bench: Bench, { tls, variants = [{}] }: HttpServers): Promise<Writer[]> {
  const writers: Writer[] = [];
  const add = async (start: (store: string) => Promise<HttpTarget | undefined>): Promise<void> => {
    const store = await newStore(bench, 'put');
    const target = await start(store);
    if (target !== undefined) writers.push({ target, store });
  };
  for (const { name, args = [] } of variants) {
    for (const node of bench.options.nodes) {
      await add((store) => startGateway(bench, node, [store, '--allow-write', ...args], { variant: name, tls }));
    }
  }
  await add((store) => startPlakar(bench, store, { tls }));
  if (bench.hasAllOpponents && !tls) await add((store) => startRestServer(bench, store));
  return writers;
}

export function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

/** Returns the job for a round. In the warm-up round it takes long enough for V8 to have optimized the code. */
export function inRound(bench: Bench, job: Job, round: number): Job {
  const { seconds = 0 } = job;
  const warmUpSeconds = bench.options.short ? 1 : 3;
  const longer = round === 0 && seconds > 0 ? { seconds: Math.max(seconds, warmUpSeconds) } : {};
  return { ...job, seed: round, ...longer };
}

/** Makes a contestant of a server and a job, which the raw client does unless the job names another. */
export function overHttp(bench: Bench, target: HttpTarget, job: Job, more: Partial<Contestant> = {}): Contestant {
  return {
    name: target.name,
    server: () => target.server,
    run: (round) => bench.drive({ client: 'raw', ...target.http, ...inRound(bench, job, round) }),
    ...more,
  };
}

/** How many operations of this size a run has: a multiple of the connections, so that none idles at the end. */
export function opsFor(bench: Bench, sizeBytes: number, connections: number): number {
  const budgetBytes = bench.options.short ? 2 ** 29 : 2 ** 32;
  return Math.max(1, Math.round(budgetBytes / sizeBytes / connections)) * connections;
}

/** Cases of uploads of 1 MiB by eight connections, to each variant of the gateway and its opponents. */
export async function* putCases(bench: Bench, wanted: readonly Spec[], servers: HttpServers): AsyncGenerator<Case> {
  const writers = await startWriters(bench, servers);
  const job = { mode: 'puts', connections: 8, size: 2 ** 20, seconds: bench.options.seconds } as const;
  try {
    for (const { name } of wanted) {
      const contestants = writers.map(({ target, store }) =>
        overHttp(bench, target, job, { after: () => emptyStore(bench, store) }),
      );
      yield { name, contestants };
    }
  } finally {
    await stopAll(writers.map(({ target }) => target));
  }
}
