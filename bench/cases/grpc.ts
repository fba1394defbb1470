import type { Bench } from '../bench.js';
import { groupBy, suite, type Case, type Contestant } from '../case.js';
import type { Job } from '../driver.js';
import { startDelayProxy } from '../servers/delay-proxy.js';
import { startGateway } from '../servers/gateway.js';
import { startGrpcGo } from '../servers/grpc-go.js';
import { stopAll, type GrpcTarget } from '../servers/target.js';
import { emptyStore, newStore, readStore } from '../stores.js';
import { inRound, opsFor } from './contestants.js';

const size = 2 ** 24;
const roundTrips = [0, 20];

const named = (roundTripMs: number, what: string): string =>
  roundTripMs === 0 ? `grpc-${what}` : `grpc-${roundTripMs}ms-${what}`;

const reads = [
  ...roundTrips.flatMap((roundTripMs) =>
    [1, 4].map((connections) => ({
      name: named(roundTripMs, `get-16m-${connections}`),
      mode: 'grpc-get' as const,
      connections,
      roundTripMs,
    })),
  ),
  { name: 'grpc-read-ranges', mode: 'read-ranges' as const, connections: 1, roundTripMs: 0 },
];

const writes = roundTrips.flatMap((roundTripMs) =>
  (roundTripMs === 0 ? ['none', 'fsync'] : ['none']).flatMap((durability) =>
    [1, 4].map((connections) => ({
      name: named(roundTripMs, `put-16m-${connections}-${durability}`),
      connections,
      durability,
      roundTripMs,
    })),
  ),
);

/** Whole objects, and small reads on one stream. */
export const grpcReads = suite(reads, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  const store = await readStore(bench);
  for (const [roundTripMs, group] of groupBy(wanted, (spec) => spec.roundTripMs)) {
    const servers = await startGateways(bench, () => Promise.resolve(store.folder), []);
    servers.push(await startGrpcGo(bench, store.folder));
    const { targets, stop } = await atDistance(bench, servers, roundTripMs);
    try {
      for (const { name, mode, connections } of group) {
        if (mode === 'read-ranges') {
          yield { name, contestants: rangeReaders(bench, targets, store.ranges) };
          continue;
        }
        const ops = opsAt(bench, size, { connections, roundTripMs });
        const job = { mode, objects: String(store.whole.get(16)), connections, ops } as const;
        yield { name, contestants: targets.map((target) => overGrpc(bench, target, job)) };
      }
    } finally {
      await stop();
    }
  }
});

/** Uploads, with the server syncing and without. */
export const grpcWrites = suite(writes, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const { name, connections, durability, roundTripMs } of wanted) {
    const stores: string[] = [];
    const makeStore = async (): Promise<string> => {
      const store = await newStore(bench, 'put');
      stores.push(store);
      return store;
    };
    const servers = await startGateways(bench, makeStore, ['--allow-write', '--durability', durability]);
    servers.push(await startGrpcGo(bench, await makeStore(), { fsync: durability === 'fsync' }));
    const { targets, stop } = await atDistance(bench, servers, roundTripMs);
    const ops = opsAt(bench, size * 2, { connections, roundTripMs });
    const job = { mode: 'grpc-put', size, connections, ops } as const;
    const after = () => Promise.all(stores.map((store) => emptyStore(bench, store)));
    try {
      yield { name, contestants: targets.map((target) => overGrpc(bench, target, job, { after })) };
    } finally {
      await stop();
    }
  }
});

async function startGateways(
  bench: Bench,
  storeFor: () => Promise<string>,
  args: readonly string[],
): Promise<GrpcTarget[]> {
  const targets: GrpcTarget[] = [];
  for (const node of bench.options.nodes) {
    targets.push(await startGateway(bench, node, [await storeFor(), ...args]));
  }
  return targets;
}

/** Puts a proxy in front of each server where there is a round-trip time. `stop` stops the servers and the proxies. */
async function atDistance(
  bench: Bench,
  servers: readonly GrpcTarget[],
  roundTripMs: number,
): Promise<{ readonly targets: readonly GrpcTarget[]; readonly stop: () => Promise<void> }> {
  if (roundTripMs === 0) return { targets: servers, stop: () => stopAll(servers) };
  const proxies = await Promise.all(servers.map(({ address }) => startDelayProxy(bench, address, roundTripMs)));
  const targets = servers.map((target, i) => ({ ...target, address: proxies[i]?.address ?? target.address }));
  return { targets, stop: () => stopAll([...servers, ...proxies]) };
}

/** At a distance a transfer takes longer, so a run has fewer. */
function opsAt(
  bench: Bench,
  sizeBytes: number,
  { connections, roundTripMs }: { readonly connections: number; readonly roundTripMs: number },
): number {
  return opsFor(bench, roundTripMs === 0 ? sizeBytes : sizeBytes * 16, connections);
}

function overGrpc(bench: Bench, target: GrpcTarget, job: Job, more: Partial<Contestant> = {}): Contestant {
  const { name, server, address } = target;
  return {
    name,
    server: () => server,
    run: (round) => bench.drive({ address, ...inRound(bench, job, round) }),
    ...more,
  };
}

/** Servers are sent 16 reads in a message. The gateways are also sent one in each, and are read from by grpc-go's client. */
function rangeReaders(bench: Bench, targets: readonly GrpcTarget[], objects: string): Contestant[] {
  const job = { mode: 'read-ranges', client: 'raw', objects, ops: 10_000, together: 16 } as const;
  const variant = (name: string, label: string): string => name.replace('gateway', `gateway, ${label}`);
  const gateways = targets.slice(0, bench.options.nodes.length);
  return [
    ...targets.map((target) => overGrpc(bench, target, job)),
    ...gateways.flatMap((target) => [
      overGrpc(bench, target, { ...job, together: 0 }, { name: variant(target.name, 'a message for each') }),
      overGrpc(bench, target, { ...job, client: 'go' }, { name: variant(target.name, 'Go client') }),
    ]),
  ];
}
