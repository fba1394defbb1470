import type { Bench } from '../bench.js';
import { groupBy, suite, type Case, type Contestant } from '../case.js';
import { SftpHost } from '../servers/sftp.js';
import { stopAll, type HttpTarget } from '../servers/target.js';
import { emptyStore, newStore, readStore } from '../stores.js';
import { overHttp, present } from './contestants.js';
import { openSshClient } from './openssh-client.js';

const size = 2 ** 24;

const specs = [0, 30].flatMap((roundTripMs) =>
  (['range-8', 'get-16m-1', 'put-16m-4'] as const).map((what) => ({
    name: roundTripMs === 0 ? `sftp-${what}` : `sftp-${roundTripMs}ms-${what}`,
    what,
    roundTripMs,
  })),
);

type SftpSpec = (typeof specs)[number];

/** Stores behind an SSH server, on this machine and at a distance. */
export const sftp = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  if (!bench.programs.sshd) return;
  for (const [roundTripMs, group] of groupBy(wanted, (spec) => spec.roundTripMs)) {
    const host = await SftpHost.start(bench, roundTripMs);
    try {
      for (const spec of group)
        yield* spec.what === 'put-16m-4' ? putCase(bench, host, spec) : readCase(bench, host, spec);
    } finally {
      await host.stop();
    }
  }
});

/** How many transfers a run has: fewer at a distance, where each takes longer. */
function transfers(bench: Bench, roundTripMs: number): number {
  return bench.options.short ? 8 : roundTripMs === 0 ? 64 : 16;
}

async function* readCase(bench: Bench, host: SftpHost, { name, what, roundTripMs }: SftpSpec): AsyncGenerator<Case> {
  const store = await readStore(bench);
  const started: (HttpTarget | undefined)[] = [];
  for (const node of bench.options.nodes) started.push(await host.startGateway(bench, node, [store.folder]));
  const targets = present([...started, await host.startPlakar(bench, store.folder)]);
  const small = { mode: 'ranges', objects: store.ranges, connections: 8, seconds: bench.options.seconds } as const;
  const ops = transfers(bench, roundTripMs);
  const whole = { mode: 'objects', objects: String(store.whole.get(16)), connections: 1, ops } as const;
  const job = what === 'range-8' ? small : whole;
  const contestants: Contestant[] = targets.map((target) => overHttp(bench, target, job));
  if (job === whole)
    contestants.push(await openSshClient(bench, host, { put: false, sessions: 1, transfers: ops, size }));
  try {
    yield { name, contestants };
  } finally {
    await stopAll(targets);
  }
}

async function* putCase(bench: Bench, host: SftpHost, { name, roundTripMs }: SftpSpec): AsyncGenerator<Case> {
  const stores: string[] = [];
  const makeStore = async (): Promise<string> => {
    const store = await newStore(bench, 'put');
    stores.push(store);
    return store;
  };
  const started: (HttpTarget | undefined)[] = [];
  for (const variant of ['fsync', 'none']) {
    for (const node of bench.options.nodes) {
      const args = ['--allow-write', '--durability', variant];
      started.push(await host.startGateway(bench, node, [await makeStore(), ...args], { variant }));
    }
  }
  const targets = present([...started, await host.startPlakar(bench, await makeStore())]);
  const ops = Math.max(4, transfers(bench, roundTripMs));
  const job = { mode: 'puts', connections: 4, size, ops } as const;
  const after = async (): Promise<void> => {
    for (const store of stores) await emptyStore(bench, store);
  };
  const client = await openSshClient(bench, host, { put: true, sessions: 4, transfers: ops, size });
  try {
    yield { name, contestants: [...targets.map((target) => overHttp(bench, target, job, { after })), client] };
  } finally {
    await stopAll(targets);
  }
}
