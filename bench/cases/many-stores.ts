import { writeFile } from 'node:fs/promises';
import type { Bench } from '../bench.js';
import { suite, type Case } from '../case.js';
import type { Job } from '../driver.js';
import { startGateway } from '../servers/gateway.js';
import { startPlakar } from '../servers/plakar.js';
import { stopAll, type HttpTarget } from '../servers/target.js';
import { emptyStore, newStore, readStore } from '../stores.js';
import { overHttp, present } from './contestants.js';

const count = 50;
const objectsPerList = 20_000;

type What = 'range' | 'put' | 'list';

const specs: { readonly name: string; readonly what: What }[] = [
  { name: 'stores-range-8', what: 'range' },
  { name: 'stores-put-1m-8', what: 'put' },
  { name: 'list-1m-50-stores', what: 'list' },
];

/** Requests spread over 50 stores of one gateway, beside a gateway and a plakar server with one store each. */
export const manyStores = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const { name, what } of wanted) {
    const { many, single } = await stores[what](bench);
    const config = await configFile(bench, many);
    const spread = await startGateways(bench, ['--config', config, '--durability', 'none'], `${count} stores`);
    const one = await startGateways(bench, [single, '--allow-write', '--durability', 'none'], '1 store');
    const plakar = present([await startPlakar(bench, single)]);
    const job = await jobFor(bench, what);
    const names = many.map((_, i) => nameOf(i));
    const isWrite = what === 'put';
    const emptied = (folders: readonly string[]) => ({
      after: async () => {
        for (const store of isWrite ? folders : []) await emptyStore(bench, store);
      },
    });
    try {
      yield {
        name,
        contestants: [
          ...spread.map((target) => overHttp(bench, target, { ...job, stores: names }, emptied(many))),
          ...[...one, ...plakar].map((target) => overHttp(bench, target, job, emptied([single]))),
        ],
      };
    } finally {
      await stopAll([...spread, ...one, ...plakar]);
    }
  }
});

interface Stores {
  /** For the gateway with many. */
  readonly many: readonly string[];
  /** For the servers with one. */
  readonly single: string;
}

const stores: Record<What, (bench: Bench) => Promise<Stores>> = {
  range: async (bench) => {
    const { folder: from, ranges: objects } = await readStore(bench);
    const many = await newStores(bench, (folder) => bench.drive({ mode: 'link', folder, from, objects }));
    return { many, single: from };
  },
  put: async (bench) => ({
    many: await newStores(bench),
    single: await newStore(bench, 'put'),
  }),
  list: async (bench) => {
    const objects = bench.newPath('objects');
    const fill = (folder: string) => bench.drive({ mode: 'fill', folder, count: objectsPerList, size: 0, objects });
    const many = await newStores(bench, fill);
    const single = await newStore(bench, 'one');
    await fill(single);
    return { many, single };
  },
};

async function newStores(bench: Bench, fill?: (store: string) => Promise<unknown>): Promise<string[]> {
  const folders: string[] = [];
  for (let i = 0; i < count; i++) {
    const folder = await newStore(bench, 'one-of-many');
    await fill?.(folder);
    folders.push(folder);
  }
  return folders;
}

function nameOf(index: number): string {
  return `store-${index}`;
}

/** Writes a configuration with these stores. JSON is YAML, too. */
async function configFile(bench: Bench, folders: readonly string[]): Promise<string> {
  const path = bench.newPath('config.yaml');
  const entries = folders.map((location, i) => [nameOf(i), { location, anonymous: 'append' }]);
  await writeFile(path, JSON.stringify({ stores: Object.fromEntries(entries) }));
  return path;
}

async function startGateways(bench: Bench, args: readonly string[], variant: string): Promise<HttpTarget[]> {
  const targets: HttpTarget[] = [];
  for (const node of bench.options.nodes) targets.push(await startGateway(bench, node, args, { variant }));
  return targets;
}

async function jobFor(bench: Bench, what: What): Promise<Job> {
  const { seconds } = bench.options;
  if (what === 'list') return { mode: 'list', connections: 1, count: objectsPerList, seconds };
  if (what === 'put') return { mode: 'puts', connections: 8, size: 2 ** 20, seconds };
  return { mode: 'ranges', connections: 8, objects: (await readStore(bench)).ranges, seconds };
}
