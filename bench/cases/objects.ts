import type { Bench } from '../bench.js';
import { groupBy, suite, type Case } from '../case.js';
import { stopAll } from '../servers/target.js';
import { readStore } from '../stores.js';
import { opsFor, overHttp, startReaders } from './contestants.js';

const MiB = 2 ** 20;

const plain = [1, 16, 256].flatMap((sizeMiB) =>
  [1, 4, 8].map((connections) => ({
    name: `get-${sizeMiB}m-${connections}`,
    sizeMiB,
    connections,
    tls: false,
    client: 'raw' as const,
  })),
);

const overTls = (['tls', 'h2'] as const).flatMap((protocol) =>
  [1, 16].map((sizeMiB) => ({
    name: `get-${protocol}-${sizeMiB}m-8`,
    sizeMiB,
    connections: 8,
    tls: true,
    client: protocol === 'h2' ? ('h2' as const) : ('raw' as const),
  })),
);

/** Whole objects over HTTP, with and without TLS. */
export const objects = suite([...plain, ...overTls], async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  const store = await readStore(bench);
  for (const [tls, group] of groupBy(wanted, (spec) => spec.tls)) {
    const targets = await startReaders(bench, store.folder, { tls });
    try {
      for (const { name, sizeMiB, connections, client } of group) {
        const list = String(store.whole.get(sizeMiB));
        const ops = opsFor(bench, sizeMiB * MiB, connections);
        const job = { mode: 'objects', client, objects: list, connections, ops } as const;
        yield { name, contestants: targets.map((target) => overHttp(bench, target, job)) };
      }
    } finally {
      await stopAll(targets);
    }
  }
});
