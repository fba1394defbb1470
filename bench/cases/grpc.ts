import type { Bench } from '../bench.js';
import { suite, type Case, type Contestant } from '../case.js';
import type { Job } from '../driver.js';
import { startGateway } from '../servers/gateway.js';
import { startGrpcGo } from '../servers/grpc-go.js';
import { stopAll, type GrpcTarget } from '../servers/target.js';
import { emptyStore, newStore, readStore } from '../stores.js';
import { asked, inRound, opsFor } from './reading.js';

const size = 2 ** 24;

const reads = [
  { name: 'grpc-get-16m-1', short: true, connections: 1 },
  { name: 'grpc-get-16m-4', short: false, connections: 4 },
  { name: 'grpc-read-ranges', short: true, connections: 0 },
];

const writes = ['none', 'fsync'].flatMap((durability) =>
  [1, 4].map((connections) => ({
    name: `grpc-put-16m-${connections}-${durability}`,
    short: connections === 1 && durability === 'none',
    connections,
    durability,
  })),
);

function called(
  bench: Bench,
  { name, server, address }: GrpcTarget,
  job: Job,
  more: Partial<Contestant> = {},
): Contestant {
  return { name, server: () => server, run: (round) => bench.drive({ address, ...inRound(job, round) }), ...more };
}

/** Whole objects over gRPC; and small reads on one stream, which are compared with ours over HTTP, too. */
export const grpcReads = suite(reads, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  const store = await readStore(bench);
  const gateway = await startGateway(bench, store.folder);
  const grpcGo = await startGrpcGo(bench, store.folder);
  try {
    for (const { name, connections } of wanted) {
      if (name === 'grpc-read-ranges') {
        const job = { mode: 'read-ranges', client: 'raw', objects: store.ranges, ops: 10_000, together: 16 } as const;
        const http = { mode: 'ranges', objects: store.ranges, connections: 8, seconds: bench.options.seconds } as const;
        const overHttp = (client: 'raw' | 'go', label: string) =>
          asked(bench, gateway, { ...http, client }, { name: label });
        const streams = [gateway, grpcGo].map((target) => called(bench, target, job));
        const alone = called(bench, gateway, { ...job, together: 0 }, { name: 'gateway, a message for each' });
        const viaGrpcGo = called(bench, gateway, { ...job, client: 'go' }, { name: 'gateway, Go client' });
        const https = [overHttp('raw', 'gateway HTTP'), overHttp('go', 'gateway HTTP, Go client')];
        yield { name, contestants: [...streams, alone, viaGrpcGo, ...https] };
        continue;
      }
      const ops = opsFor(bench, size, connections);
      const job = { mode: 'grpc-get', objects: String(store.whole.get(16)), connections, ops } as const;
      yield { name, contestants: [gateway, grpcGo].map((target) => called(bench, target, job)) };
    }
  } finally {
    await stopAll([gateway, grpcGo]);
  }
});

/** Uploads over gRPC, with both servers syncing, and with neither. */
export const grpcWrites = suite(writes, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const { name, connections, durability } of wanted) {
    const stores = [await newStore(bench, 'put'), await newStore(bench, 'put')] as const;
    const args = ['--allow-write', '--durability', durability];
    const targets = [
      await startGateway(bench, stores[0], { args }),
      await startGrpcGo(bench, stores[1], { fsync: durability === 'fsync' }),
    ];
    const job = { mode: 'grpc-put', size, connections, ops: opsFor(bench, size * 2, connections) } as const;
    const after = () => Promise.all(stores.map((store) => emptyStore(bench, store)));
    try {
      yield { name, contestants: targets.map((target) => called(bench, target, job, { after })) };
    } finally {
      await stopAll(targets);
    }
  }
});
