import type { Bench } from '../bench.js';
import { groupBy, suite, type Case, type Contestant } from '../case.js';
import { startGateway } from '../servers/gateway.js';
import { startPlakar } from '../servers/plakar.js';
import { startRestServer } from '../servers/rest-server.js';
import type { HttpTarget } from '../servers/target.js';
import { newStore } from '../stores.js';
import { inRound } from './contestants.js';

const sizes = { '10k': 10_000, '100k': 100_000, '1m': 1_000_000 };

const specs = Object.entries(sizes).flatMap(([label, count]) =>
  ['unchanged', 'scratch'].map((when) => ({ name: `list-${label}-${when}`, count, when })),
);

/** The list of all packfiles, from a server that has listed them before, and from one that was just started. */
export const lists = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const [count, group] of groupBy(wanted, (spec) => spec.count)) {
    const store = await newStore(bench, 'list');
    await bench.drive({ mode: 'fill', folder: store, count, size: 0, objects: bench.newPath('objects') });
    const listers = await startListers(bench, store);
    try {
      for (const { name, when } of group) {
        yield { name, contestants: listers.map((lister) => lister.contestant(count, when === 'scratch')) };
      }
    } finally {
      for (const lister of listers) await lister.stop();
    }
  }
});

async function startListers(bench: Bench, store: string): Promise<RestartableServer[]> {
  const starts: (() => Promise<HttpTarget | undefined>)[] = [
    ...bench.options.nodes.map((node) => () => startGateway(bench, node, [store])),
    () => startPlakar(bench, store),
  ];
  if (bench.hasAllOpponents) starts.push(() => startRestServer(bench, store));
  const servers = starts.map((start) => new RestartableServer(bench, start));
  const isThere = await Promise.all(servers.map((server) => server.start()));
  return servers.filter((_, index) => isThere[index]);
}

class RestartableServer {
  private target: HttpTarget | undefined;

  constructor(
    private readonly bench: Bench,
    private readonly startTarget: () => Promise<HttpTarget | undefined>,
  ) {}

  /** Resolves to whether the program is there. */
  async start(): Promise<boolean> {
    this.target = await this.startTarget();
    return this.target !== undefined;
  }

  async stop(): Promise<void> {
    await this.target?.server.stop();
  }

  contestant(count: number, fromScratch: boolean): Contestant {
    const started = (): HttpTarget => {
      if (this.target === undefined) throw new Error('the server was not started');
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
        return this.bench.drive(inRound(this.bench, job, round));
      },
      ...(fromScratch ? { before: restart } : {}),
    };
  }
}
