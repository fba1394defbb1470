import type { Bench } from '../bench.js';
import { suite, type Case } from '../case.js';
import { startGateway } from '../servers/gateway.js';
import { startPlakar } from '../servers/plakar.js';
import { startRestServer } from '../servers/rest-server.js';
import { stopAll, type HttpTarget } from '../servers/target.js';
import { emptyStore, newStore } from '../stores.js';
import { asked, opsFor } from './reading.js';

const KiB = 2 ** 10;
const sizes = { '4k': 4 * KiB, '1m': KiB * KiB, '16m': 16 * KiB * KiB, '256m': 256 * KiB * KiB };
const inShort = ['4k-8', '1m-8', '16m-8'];

const specs = Object.entries(sizes).flatMap(([label, size]) =>
  [1, 4, 8].map((connections) => {
    const what = `${label}-${connections}`;
    return { name: `put-${what}`, short: inShort.includes(what), size, connections };
  }),
);

/** Uploads over HTTP, always under new names, into a store for each server; plakar's never syncs, restic's always. */
export const puts = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  const writers = await startWriters(bench);
  try {
    for (const { name, size, connections } of wanted) {
      // Large ones are counted: whoever is faster in a given time would have more to flush.
      const amount =
        size > KiB * KiB ? { ops: opsFor(bench, size * 2, connections) } : { seconds: bench.options.seconds };
      const job = { mode: 'puts', connections, size, ...amount } as const;
      const contestants = writers.map(({ target, store }) =>
        asked(bench, target, job, { after: () => emptyStore(bench, store) }),
      );
      yield { name, contestants };
    }
  } finally {
    await stopAll(writers.map(({ target }) => target));
  }
});

interface Writer {
  readonly target: HttpTarget;
  readonly store: string;
}

async function startWriters(bench: Bench): Promise<Writer[]> {
  const writers: Writer[] = [];
  const add = async (start: (store: string) => Promise<HttpTarget | undefined>): Promise<void> => {
    const store = await newStore(bench, 'put');
    const target = await start(store);
    if (target !== undefined) writers.push({ target, store });
  };
  for (const durability of ['fsync', 'none']) {
    const options = { name: `gateway ${durability}`, args: ['--allow-write', '--durability', durability] };
    await add((store) => startGateway(bench, store, options));
  }
  await add((store) => startPlakar(bench, store));
  if (!bench.options.short) await add((store) => startRestServer(bench, store));
  return writers;
}
