import type { Bench } from '../bench.js';
import { suite, type Case, type Contestant } from '../case.js';
import { startGateway } from '../servers/gateway.js';
import { startPlakar } from '../servers/plakar.js';
import { startRestServer } from '../servers/rest-server.js';
import type { HttpTarget } from '../servers/target.js';
import { newStore } from '../stores.js';
import { inRound } from './reading.js';

const sizes = { '10k': 10_000, '100k': 100_000, '1m': 1_000_000 };

const specs = Object.entries(sizes).flatMap(([label, count]) =>
  ['unchanged', 'scratch'].map((when) => ({ name: `list-${label}-${when}`, short: label === '100k', count, when })),
);

/** The list of all packfiles: again, when nothing has changed, and by a server that was just started. */
export const lists = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const count of Object.values(sizes)) {
    const ofThis = wanted.filter((spec) => spec.count === count);
    if (ofThis.length === 0) continue;
    const store = await newStore(bench, 'list');
    await bench.drive({ mode: 'fill', folder: store, count, size: 0, objects: bench.newPath('objects') });
    const listers = await startListers(bench, store);
    try {
      for (const { name, when } of ofThis) {
        yield { name, contestants: listers.map((lister) => lister.contestant(count, when === 'scratch')) };
      }
    } finally {
      for (const lister of listers) await lister.stop();
    }
    // A million files more would slow down what comes after.
    await bench.drive({ mode: 'clean', folder: store });
  }
});

async function startListers(bench: Bench, store: string): Promise<Lister[]> {
  const all = bench.options.short ? [startGateway, startPlakar] : [startGateway, startPlakar, startRestServer];
  const starts = all.map((start) => () => start(bench, store));
  const listers = starts.map((start) => new Lister(bench, start));
  const there = await Promise.all(listers.map((lister) => lister.start()));
  return listers.filter((_, index) => there[index]);
}

/** A server that can be started again. */
class Lister {
  private target: HttpTarget | undefined;

  constructor(
    private readonly bench: Bench,
    private readonly startTarget: () => Promise<HttpTarget | undefined>,
  ) {}

  /** Resolves to whether there is such a server at all. */
  async start(): Promise<boolean> {
    this.target = await this.startTarget();
    return this.target !== undefined;
  }

  async stop(): Promise<void> {
    await this.target?.server.stop();
  }

  contestant(count: number, fromScratch: boolean): Contestant {
    const started = (): HttpTarget => {
      if (this.target === undefined) throw new Error('it was not started');
      return this.target;
    };
    const restart = async (): Promise<void> => {
      await this.stop();
      await this.start();
    };
    const amount = fromScratch ? { ops: 1 } : { seconds: this.bench.options.seconds };
    return {
      name: started().name,
      server: () => started().server,
      run: (round) => {
        const job = { mode: 'list', client: 'raw', ...started().http, connections: 1, count, ...amount } as const;
        return this.bench.drive(inRound(job, round));
      },
      ...(fromScratch ? { before: restart } : {}),
    };
  }
}
