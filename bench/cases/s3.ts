import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, type Bench } from '../bench.js';
import { suite, type Case, type Contestant } from '../case.js';
import type { Job, Outcome } from '../driver.js';
import { gatewayName, type NodeProgram } from '../nodes.js';
import { S3Host } from '../servers/s3.js';
import { stopAll, type HttpTarget } from '../servers/target.js';
import { emptyStore, newStore, readStore } from '../stores.js';
import { opsFor, overHttp } from './contestants.js';

const size = 2 ** 24;

const listed = 100_000;

const specs = (['range-8', 'range-8-store', 'get-16m-4', 'put-16m-4', 'list-100k'] as const).map((what) => ({
  name: `s3-${what}`,
  what,
}));

type S3Spec = (typeof specs)[number];

/**
 * A store in S3: by one gateway, by three that share the load, and what its server does by itself. And the gateway's store in a process of its
 * own, beside requests by the SDK's signer and HTTP handler alone.
 */
export const s3 = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  if (wanted.length === 0) return;
  const host = await S3Host.start(bench);
  try {
    for (const spec of wanted)
      yield* spec.what === 'range-8-store' ? storeCase(bench, host, spec) : s3Case(bench, host, spec);
  } finally {
    await host.stop();
  }
});

async function* s3Case(bench: Bench, host: S3Host, { name, what }: S3Spec): AsyncGenerator<Case> {
  const { store, job, after } = await workOf(bench, what);
  const servers: HttpTarget[] = [];
  const contestants: Contestant[] = [];
  try {
    for (const node of bench.options.nodes) {
      for (const replicas of [1, 3]) {
        const variant = replicas === 1 ? undefined : `${replicas} replicas`;
        const gateways: HttpTarget[] = [];
        for (let i = 0; i < replicas; i++)
          gateways.push(await host.startGateway(bench, node, [store, '--allow-write'], variant));
        servers.push(...gateways);
        contestants.push(together(bench, gateways, job, { after }));
      }
    }
    if (what !== 'list-100k') contestants.push(overHttp(bench, await host.bare(store), job, { after }));
    yield { name, contestants };
  } finally {
    await stopAll(servers);
  }
}

async function* storeCase(bench: Bench, host: S3Host, { name }: S3Spec): AsyncGenerator<Case> {
  const { folder, ranges } = await readStore(bench);
  const { nodes, seconds } = bench.options;
  const reading =
    (how: 'store' | 'requests', { path }: NodeProgram) =>
    async (): Promise<Outcome> => {
      const args = ['--import', 'tsx', join(root, 'bench/s3-reader.ts'), how, host.location(folder), ranges];
      const { stdout } = await promisify(execFile)(path, [...args, '8', String(seconds)], { cwd: root });
      return JSON.parse(stdout) as Outcome;
    };
  const contestants: Contestant[] = nodes.map((node) => {
    return { name: gatewayName(node, 'its store'), run: reading('store', node) };
  });
  const [first] = nodes;
  if (first !== undefined) contestants.push({ name: 'requests', run: reading('requests', first) });
  yield { name, contestants };
}

interface Work {
  readonly store: string;
  readonly job: Job;
  readonly after: () => Promise<void>;
}

async function workOf(bench: Bench, what: S3Spec['what']): Promise<Work> {
  const { seconds } = bench.options;
  const nothing = async (): Promise<void> => undefined;
  if (what === 'put-16m-4') {
    const store = await newStore(bench, 'put');
    const job = { mode: 'puts', connections: 4, size, ops: opsFor(bench, size * 4, 4) } as const;
    return { store, job, after: () => emptyStore(bench, store) };
  }
  if (what === 'list-100k') {
    const store = await newStore(bench, 'list');
    await bench.drive({ mode: 'fill', folder: store, count: listed, size: 0, objects: bench.newPath('objects') });
    return { store, job: { mode: 'list', connections: 1, ops: 1, count: listed }, after: nothing };
  }
  const { folder, ranges, whole } = await readStore(bench);
  const small = { mode: 'ranges', objects: ranges, connections: 8, seconds } as const;
  const large = {
    mode: 'objects',
    objects: String(whole.get(16)),
    connections: 4,
    ops: opsFor(bench, size, 4),
  } as const;
  return { store: folder, job: what === 'range-8' ? small : large, after: nothing };
}

/** One contestant of several gateways. Only the CPU time and memory of one alone are measured. */
function together(
  bench: Bench,
  [first, ...others]: readonly HttpTarget[],
  job: Job,
  more: Partial<Contestant>,
): Contestant {
  if (first === undefined) throw new Error('there has to be a gateway');
  if (others.length === 0) return overHttp(bench, first, job, more);
  const replicas = others.map(({ http }) => String(http.address));
  const { name, run } = overHttp(bench, { ...first, http: { ...first.http, replicas } }, job);
  return { name, run, ...more };
}
