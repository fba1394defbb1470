import type { Bench } from '../bench.js';
import { suite, type Case } from '../case.js';
import type { Job } from '../driver.js';
import { stopAll } from '../servers/target.js';
import { readStore } from '../stores.js';
import { asked, startReaders } from './reading.js';

interface RangeSpec {
  readonly name: string;
  readonly short: boolean;
  readonly client: NonNullable<Job['client']>;
  readonly connections: number;
  /** Whether the store's bytes have to come from the disk. */
  readonly cold?: boolean;
}

const specs: RangeSpec[] = [
  { name: 'range-1', short: false, client: 'raw', connections: 1 },
  { name: 'range-8', short: true, client: 'raw', connections: 8 },
  { name: 'range-32', short: false, client: 'raw', connections: 32 },
  { name: 'range-go-8', short: true, client: 'go', connections: 8 },
  { name: 'range-cold-1', short: false, client: 'raw', connections: 1, cold: true },
  { name: 'range-cold-8', short: true, client: 'raw', connections: 8, cold: true },
  { name: 'range-cold-32', short: false, client: 'raw', connections: 32, cold: true },
];

/** Reads of 200 B to 64 KiB, on connections that are kept, with Go's default client, and from a disk that nobody cached. */
export const ranges = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  const store = await readStore(bench);
  const targets = await startReaders(bench, store.folder);
  const { seconds, short } = bench.options;
  try {
    for (const { name, client, connections, cold } of wanted) {
      const job = { mode: 'ranges', client, connections, objects: store.ranges } as const;
      // From the disk it is a number of reads: more would find the store cached by those before.
      const amount = cold ? { ops: short ? 2000 : 10_000 } : { seconds };
      const evict = () => bench.drive({ mode: 'evict', folder: store.folder, objects: store.ranges });
      const before = cold ? { before: async () => void (await evict()) } : {};
      yield { name, contestants: targets.map((target) => asked(bench, target, { ...job, ...amount }, before)) };
    }
  } finally {
    await stopAll(targets);
  }
});
