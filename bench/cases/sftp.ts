import type { Bench } from '../bench.js';
import { suite, type Case, type Contestant } from '../case.js';
import { SftpHost } from '../servers/sftp.js';
import { stopAll, type HttpTarget } from '../servers/target.js';
import { emptyStore, newStore, readStore } from '../stores.js';
import { openSshClient } from './openssh-client.js';
import { asked } from './reading.js';

const size = 2 ** 24;

const specs = [0, 30].flatMap((delayMs) =>
  (['range-8', 'get-16m-1', 'put-16m-4'] as const).map((what) => ({
    name: delayMs === 0 ? `sftp-${what}` : `sftp-${delayMs}ms-${what}`,
    short: delayMs === 0,
    what,
    delayMs,
  })),
);

/** Stores behind an SSH server, near and far. */
export const sftp = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  if (!bench.programs.sshd) return;
  for (const delayMs of new Set(wanted.map((spec) => spec.delayMs))) {
    const host = await SftpHost.start(bench, delayMs);
    try {
      for (const { name, what } of wanted.filter((spec) => spec.delayMs === delayMs)) {
        if (what === 'put-16m-4') yield* putCase(bench, host, name, delayMs);
        else yield* readCase(bench, host, name, what === 'range-8', delayMs);
      }
    } finally {
      await host.stop();
    }
  }
});

/** Over a slow link fewer do, and are all that there is time for. */
function transfers(bench: Bench, delayMs: number): number {
  return bench.options.short ? 8 : delayMs === 0 ? 64 : 16;
}

async function* readCase(
  bench: Bench,
  host: SftpHost,
  name: string,
  ranges: boolean,
  delayMs: number,
): AsyncGenerator<Case> {
  const store = await readStore(bench);
  const targets = present([await host.startGateway(bench, store.folder), await host.startPlakar(bench, store.folder)]);
  const small = { mode: 'ranges', objects: store.ranges, connections: 8, seconds: bench.options.seconds } as const;
  const objects = String(store.whole.get(16));
  const ops = transfers(bench, delayMs);
  const whole = { mode: 'objects', objects, connections: 1, ops } as const;
  const contestants: Contestant[] = targets.map((target) => asked(bench, target, ranges ? small : whole));
  if (!ranges) contestants.push(await openSshClient(bench, host, { put: false, sessions: 1, transfers: ops, size }));
  try {
    yield { name, contestants };
  } finally {
    await stopAll(targets);
  }
}

async function* putCase(bench: Bench, host: SftpHost, name: string, delayMs: number): AsyncGenerator<Case> {
  const stores: string[] = [];
  for (let i = 0; i < 3; i++) stores.push(await newStore(bench, 'put'));
  const [synced, unsynced, plakars] = stores as [string, string, string];
  const gateway = (store: string, durability: string): Promise<HttpTarget> =>
    host.startGateway(bench, store, {
      name: `gateway ${durability}`,
      args: ['--allow-write', '--durability', durability],
    });
  const targets = present([
    await gateway(synced, 'fsync'),
    await gateway(unsynced, 'none'),
    await host.startPlakar(bench, plakars),
  ]);
  const ops = Math.max(4, transfers(bench, delayMs));
  const job = { mode: 'puts', connections: 4, size, ops } as const;
  const after = async (): Promise<void> => {
    for (const store of stores) await emptyStore(bench, store);
  };
  const client = await openSshClient(bench, host, { put: true, sessions: 4, transfers: ops, size });
  try {
    yield { name, contestants: [...targets.map((target) => asked(bench, target, job, { after })), client] };
  } finally {
    await stopAll(targets);
  }
}

function present(targets: readonly (HttpTarget | undefined)[]): HttpTarget[] {
  return targets.filter((target) => target !== undefined);
}
