import type { Bench } from '../bench.js';
import { groupBy, suite, type Case } from '../case.js';
import { stopAll } from '../servers/target.js';
import { readStore } from '../stores.js';
import { opsFor, overHttp, putCases, startReaders, type Variant } from './contestants.js';

const MiB = 2 ** 20;

const specs = [false, true].flatMap((tls) =>
  (['range-32', 'get-1m-8', 'put-1m-8'] as const).map((what) => ({
    name: `workers-${tls ? 'tls-' : ''}${what}`,
    what,
    tls,
  })),
);

const counts = [
  { name: '4 workers', args: ['--workers', '4'] },
  { name: '1 worker', args: [] },
];

function withDurability({ name, args = [] }: Variant): Variant {
  return { ...(name === undefined ? {} : { name }), args: [...args, '--durability', 'none'] };
}

/** Four workers beside a single process, on all cores of the machine. */
export const workers = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const [tls, group] of groupBy(wanted, (spec) => spec.tls)) {
    const reads = group.filter(({ what }) => what !== 'put-1m-8');
    const writes = group.filter(({ what }) => what === 'put-1m-8');
    if (reads.length > 0) yield* readCases(bench, reads, tls);
    if (writes.length > 0) yield* putCases(bench, writes, { tls, variants: counts.map(withDurability) });
  }
});

async function* readCases(bench: Bench, wanted: readonly (typeof specs)[number][], tls: boolean): AsyncGenerator<Case> {
  const store = await readStore(bench);
  const targets = await startReaders(bench, store.folder, { tls, variants: counts });
  const small = { mode: 'ranges', objects: store.ranges, connections: 32, seconds: bench.options.seconds } as const;
  const ops = opsFor(bench, MiB, 8);
  const whole = { mode: 'objects', objects: String(store.whole.get(1)), connections: 8, ops } as const;
  try {
    for (const { name, what } of wanted) {
      const job = what === 'range-32' ? small : whole;
      yield { name, contestants: targets.map((target) => overHttp(bench, target, job)) };
    }
  } finally {
    await stopAll(targets);
  }
}
