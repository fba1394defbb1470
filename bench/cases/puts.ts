import type { Bench } from '../bench.js';
import { groupBy, suite, type Case } from '../case.js';
import { stopAll } from '../servers/target.js';
import { emptyStore } from '../stores.js';
import { opsFor, overHttp, startWriters, type Variant } from './contestants.js';

const KiB = 2 ** 10;
const sizes = { '4k': 4 * KiB, '1m': KiB * KiB, '16m': 16 * KiB * KiB, '256m': 256 * KiB * KiB };

const plain = Object.entries(sizes).flatMap(([label, size]) =>
  [1, 4, 8].map((connections) => ({
    name: `put-${label}-${connections}`,
    size,
    connections,
    tls: false,
    client: 'raw' as const,
  })),
);

const overTls = (['tls', 'h2'] as const).flatMap((protocol) =>
  (['1m', '16m'] as const).map((label) => ({
    name: `put-${protocol}-${label}-8`,
    size: sizes[label],
    connections: 8,
    tls: true,
    client: protocol === 'h2' ? ('h2' as const) : ('raw' as const),
  })),
);

export const none: Variant = { name: 'none', args: ['--durability', 'none'] };
const fsync: Variant = { name: 'fsync', args: ['--durability', 'fsync'] };

/** Uploads under new names, with and without TLS. plakar never syncs, restic's server always does. */
export const puts = suite([...plain, ...overTls], async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const [tls, group] of groupBy(wanted, (spec) => spec.tls)) {
    const writers = await startWriters(bench, { tls, variants: tls ? [none] : [fsync, none] });
    try {
      for (const { name, size, connections, client } of group) {
        const job = { mode: 'puts', client, connections, size, ...amountOf(bench, size, connections) } as const;
        const contestants = writers.map(({ target, store }) =>
          overHttp(bench, target, job, { after: () => emptyStore(bench, store) }),
        );
        yield { name, contestants };
      }
    } finally {
      await stopAll(writers.map(({ target }) => target));
    }
  }
});

/** Large uploads are counted: in a given time, a faster server would leave more dirty pages to flush. */
function amountOf(bench: Bench, size: number, connections: number): { ops: number } | { seconds: number } {
  return size > KiB * KiB ? { ops: opsFor(bench, size * 2, connections) } : { seconds: bench.options.seconds };
}
