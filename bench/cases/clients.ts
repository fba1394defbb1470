import { rm } from 'node:fs/promises';
import type { Bench } from '../bench.js';
import { groupBy, suite, type Case, type Contestant } from '../case.js';
import { startGateway } from '../servers/gateway.js';
import { startPlakar } from '../servers/plakar.js';
import { SftpHost } from '../servers/sftp.js';
import { stopAll, urlOf, type HttpTarget } from '../servers/target.js';
import { emptyStore, newStore } from '../stores.js';
import { present } from './contestants.js';
import { runClient } from './kloset-client.js';
import { trees } from './trees.js';

/** How the client reaches the server, or the server its store. */
type Way = 'http' | 'tls' | 'tls-http1' | 'sftp';

interface ClientSpec {
  readonly name: string;
  readonly way: Way;
  readonly command: 'backup' | 'check' | 'restore' | 'list';
  readonly tree: keyof typeof trees;
}

const mixed = (['http', 'tls', 'tls-http1'] as const).flatMap((way) =>
  (['backup', 'check', 'restore'] as const).map((command): ClientSpec => ({
    name: `client-${way === 'http' ? '' : `${way}-`}${command}`,
    way,
    command,
    tree: 'mixed',
  })),
);

const others = (['http', 'sftp'] as const).flatMap((way): ClientSpec[] => {
  const prefix = way === 'sftp' ? 'sftp-' : '';
  return [
    { name: `${prefix}client-ls`, way, command: 'list', tree: 'small' },
    { name: `${prefix}client-restore-20k`, way, command: 'restore', tree: 'small' },
    { name: `${prefix}client-backup-2g`, way, command: 'backup', tree: 'large' },
  ];
});

/** What plakar's users do, with plakar's own client libraries. A run takes from the client's start to its exit. */
export const clients = suite([...mixed, ...others], async function* (bench: Bench, wanted): AsyncGenerator<Case> {
  for (const [way, group] of groupBy(wanted, (spec) => spec.way)) {
    if (way === 'sftp' && !bench.programs.sshd) continue;
    const host = way === 'sftp' ? await SftpHost.start(bench, 0) : undefined;
    try {
      for (const spec of group)
        yield* spec.command === 'backup' ? backupCase(bench, spec, host) : readCase(bench, spec, host);
    } finally {
      await host?.stop();
    }
  }
});

/** All servers read the same store. */
async function* readCase(
  bench: Bench,
  { name, way, command, tree }: ClientSpec,
  host: SftpHost | undefined,
): AsyncGenerator<Case> {
  const { store, snapshot } = await trees[tree].backedUp(bench);
  const targets = await startServers(bench, () => Promise.resolve(store), { way, host });
  const contestants = targets.map((target): Contestant => {
    // In memory: creating files on a disk takes half of the time, and isn't the server's work.
    const restored = bench.newPathInMemory('restored');
    const url = urlOf(target);
    const http1 = way === 'tls-http1';
    return {
      name: target.name,
      server: () => target.server,
      run: async () => {
        if (command === 'restore')
          return (await runClient(bench, [command, url, snapshot, restored], { http1 })).outcome;
        return (await runClient(bench, [command === 'check' ? 'check' : 'list', url], { http1 })).outcome;
      },
      after: () => rm(restored, { recursive: true, force: true }),
    };
  });
  try {
    yield { name, contestants };
  } finally {
    await stopAll(targets);
  }
}

/** Each server has an empty store. */
async function* backupCase(
  bench: Bench,
  { name, way, tree }: ClientSpec,
  host: SftpHost | undefined,
): AsyncGenerator<Case> {
  const folder = await trees[tree].folder(bench);
  const stores: string[] = [];
  const makeStore = async (): Promise<string> => {
    const store = await newStore(bench, 'client');
    stores.push(store);
    return store;
  };
  const targets = await startServers(bench, makeStore, { way, host });
  const contestants = targets.map((target): Contestant => ({
    name: target.name,
    server: () => target.server,
    run: async () =>
      (await runClient(bench, ['backup', urlOf(target), folder], { http1: way === 'tls-http1' })).outcome,
    after: () => Promise.all(stores.map((store) => emptyStore(bench, store))),
  }));
  try {
    yield { name, contestants };
  } finally {
    await stopAll(targets);
  }
}

async function startServers(
  bench: Bench,
  storeFor: () => Promise<string>,
  { way, host }: { readonly way: Way; readonly host: SftpHost | undefined },
): Promise<HttpTarget[]> {
  const tls = way === 'tls' || way === 'tls-http1';
  const targets: (HttpTarget | undefined)[] = [];
  for (const node of bench.options.nodes) {
    const store = await storeFor();
    const gateway =
      host === undefined
        ? startGateway(bench, node, [store, '--allow-delete'], { tls })
        : host.startGateway(bench, node, [store, '--allow-delete']);
    targets.push(await gateway);
  }
  const store = await storeFor();
  targets.push(await (host === undefined ? startPlakar(bench, store, { tls }) : host.startPlakar(bench, store)));
  return present(targets);
}
