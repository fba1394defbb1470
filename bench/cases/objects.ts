import type { Bench } from '../bench.js';
import { suite, type Case } from '../case.js';
import { stopAll } from '../servers/target.js';
import { readStore } from '../stores.js';
import { asked, opsFor, startReaders } from './reading.js';

const MiB = 2 ** 20;
const inShort = ['1m-8', '16m-8', '256m-1', '256m-4'];

const specs = [1, 16, 256].flatMap((sizeMiB) =>
  [1, 4, 8].map((connections) => {
    const what = `${sizeMiB}m-${connections}`;
    return { name: `get-${what}`, short: inShort.includes(what), sizeMiB, connections };
  }),
);

/** Whole objects over HTTP. */
export const objects = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  const store = await readStore(bench);
  const targets = await startReaders(bench, store.folder);
  try {
    for (const { name, sizeMiB, connections } of wanted) {
      const list = String(store.whole.get(sizeMiB));
      const job = {
        mode: 'objects',
        objects: list,
        connections,
        ops: opsFor(bench, sizeMiB * MiB, connections),
      } as const;
      yield { name, contestants: targets.map((target) => asked(bench, target, job)) };
    }
  } finally {
    await stopAll(targets);
  }
});
