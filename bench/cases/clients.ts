import { rm } from 'node:fs/promises';
import type { Bench } from '../bench.js';
import { suite, type Case, type Contestant } from '../case.js';
import { startGateway } from '../servers/gateway.js';
import { startPlakar } from '../servers/plakar.js';
import { SftpHost } from '../servers/sftp.js';
import { stopAll, type HttpTarget } from '../servers/target.js';
import { emptyStore, newStore } from '../stores.js';
import { largeFiles, runClient, smallFiles, type Snapshot } from './kloset-client.js';

const specs = (['local', 'sftp'] as const).flatMap((where) =>
  (['ls', 'restore', 'backup'] as const).map((what) => ({
    name: `${where === 'sftp' ? 'sftp-' : ''}client-${what}`,
    short: where === 'local' && what !== 'ls',
    where,
    what,
  })),
);

/** What plakar's users do, with plakar's own client libraries: its time counts, from its start to its end. */
export const clients = suite(specs, async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const where of ['local', 'sftp'] as const) {
    const ofThis = wanted.filter((spec) => spec.where === where);
    if (ofThis.length === 0 || (where === 'sftp' && !bench.programs.sshd)) continue;
    const host = where === 'sftp' ? await SftpHost.start(bench, 0) : undefined;
    try {
      for (const { name, what } of ofThis) {
        if (what === 'backup') yield* backupCase(bench, host, name);
        else yield* readCase(bench, host, name, what);
      }
    } finally {
      await host?.stop();
    }
  }
});

async function* readCase(
  bench: Bench,
  host: SftpHost | undefined,
  name: string,
  what: 'ls' | 'restore',
): AsyncGenerator<Case> {
  const store = await newStore(bench, 'client');
  const tree = await smallFiles(bench, bench.options.short ? 1000 : 20_000);
  const { snapshot } = (await runClient(bench, 'backup', store, tree)).result as Snapshot;
  const targets = await startBoth(bench, host, [store, store]);
  const contestants = targets.map((target): Contestant => {
    const restored = bench.newPathInMemory('restored');
    const args = what === 'ls' ? ['list', urlOf(target)] : ['restore', urlOf(target), snapshot, restored];
    return {
      name: target.name,
      server: () => target.server,
      run: async () => (await runClient(bench, ...(args as [string, string]))).outcome,
      after: () => rm(restored, { recursive: true, force: true }),
    };
  });
  try {
    yield { name, contestants };
  } finally {
    await stopAll(targets);
  }
}

async function* backupCase(bench: Bench, host: SftpHost | undefined, name: string): AsyncGenerator<Case> {
  const stores = [await newStore(bench, 'client'), await newStore(bench, 'client')] as const;
  const tree = await largeFiles(bench, bench.options.short ? 16 : 128);
  const targets = await startBoth(bench, host, stores);
  const contestants = targets.map((target): Contestant => ({
    name: target.name,
    server: () => target.server,
    run: async () => (await runClient(bench, 'backup', urlOf(target), tree)).outcome,
    after: () => Promise.all(stores.map((store) => emptyStore(bench, store))),
  }));
  try {
    yield { name, contestants };
  } finally {
    await stopAll(targets);
  }
}

async function startBoth(
  bench: Bench,
  host: SftpHost | undefined,
  [ours, plakars]: readonly [string, string],
): Promise<HttpTarget[]> {
  const options = { args: ['--allow-delete'] };
  const both = [
    await (host === undefined ? startGateway(bench, ours, options) : host.startGateway(bench, ours, options)),
    await (host === undefined ? startPlakar(bench, plakars) : host.startPlakar(bench, plakars)),
  ];
  return both.filter((target) => target !== undefined);
}

function urlOf({ http }: HttpTarget): string {
  return `http://${String(http.address)}`;
}
