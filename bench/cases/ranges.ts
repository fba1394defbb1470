import type { Bench } from '../bench.js';
import { groupBy, suite, type Case } from '../case.js';
import type { Job } from '../driver.js';
import { stopAll } from '../servers/target.js';
import { readStore } from '../stores.js';
import { overHttp, startReaders } from './contestants.js';

interface RangeSpec {
  readonly name: string;
  readonly client: NonNullable<Job['client']>;
  readonly connections: number;
  readonly tls: boolean;
  /** Whether the page cache is emptied before each run. */
  readonly cold?: boolean;
}

const specs: RangeSpec[] = [
  { name: 'range-1', client: 'raw', connections: 1, tls: false },
  { name: 'range-8', client: 'raw', connections: 8, tls: false },
  { name: 'range-32', client: 'raw', connections: 32, tls: false },
  { name: 'range-go-8', client: 'go', connections: 8, tls: false },
  { name: 'range-cold-1', client: 'raw', connections: 1, tls: false, cold: true },
  { name: 'range-cold-8', client: 'raw', connections: 8, tls: false, cold: true },
  { name: 'range-cold-32', client: 'raw', connections: 32, tls: false, cold: true },
  { name: 'range-tls-8', client: 'raw', connections: 8, tls: true },
  { name: 'range-tls-go-8', client: 'go', connections: 8, tls: true },
  { name: 'range-h2-8', client: 'h2', connections: 8, tls: true },
];

/** Reads of 200 B to 64 KiB, with and without TLS, from memory and from a cold disk. */
export const ranges = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  const store = await readStore(bench);
  const { seconds, short } = bench.options;
  for (const [tls, group] of groupBy(wanted, (spec) => spec.tls)) {
    const targets = await startReaders(bench, store.folder, { tls });
    try {
      for (const { name, client, connections, cold } of group) {
        const job = { mode: 'ranges', client, connections, objects: store.ranges } as const;
        // A limited number of reads leaves most of the store uncached until the end.
        const amount = cold ? { ops: short ? 2000 : 10_000 } : { seconds };
        const evict = () => bench.drive({ mode: 'evict', folder: store.folder, objects: store.ranges });
        const before = cold ? { before: async () => void (await evict()) } : {};
        yield { name, contestants: targets.map((target) => overHttp(bench, target, { ...job, ...amount }, before)) };
      }
    } finally {
      await stopAll(targets);
    }
  }
});
