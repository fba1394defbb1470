import { expect } from 'chai';
import { readdir, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import type { Session } from '../../src/watch/session.js';
import type { Status } from '../../src/watch/status.js';
import { recordingOf } from '../golden/recordings.js';
import { send } from '../golden/replay.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { fixtureStore } from '../support/temp.js';
import { addedTo, endedSessions, objectsIn, type Added } from './status.js';

/* What plakar's own programs sent, 1.0.6 and 1.1.4, replayed to a gateway, and what it says that each command was. */

/** Those that write, in the order in which they were recorded on one store, and one that reads. */
const commands = ['backup-1', 'check', 'backup-2', 'rm', 'maintenance-refused', 'maintenance'] as const;

type Told = Readonly<Record<(typeof commands)[number], string>>;

/** What is the same for all. */
const common = {
  'backup-1': 'backup completed',
  check: 'read',
  // Also where the recording ends before the lock was deleted.
  'backup-2': 'backup completed',
  rm: 'removal completed',
};

const v10: Told = {
  ...common,
  // It didn't come to what would have been refused: it put a state that marks packfiles.
  'maintenance-refused': 'maintenance completed',
  // It found nothing to do.
  maintenance: 'read',
};

const v11: Told = {
  ...common,
  // Others' locks kept it from it.
  'maintenance-refused': 'read',
  maintenance: 'maintenance completed',
};

const expected: Readonly<Record<string, Told>> = {
  'v1.0, plaintext': v10,
  'v1.0, encrypted': v10,
  'v1.1, plaintext': v11,
  // This one found nothing to do.
  'v1.1, encrypted': { ...v11, maintenance: 'read' },
};

const recordings = (['v1.0', 'v1.1'] as const).flatMap((generation) =>
  (['plaintext', 'encrypted'] as const).map((store) => ({ generation, store, name: `${generation}, ${store}` })),
);

type Recording = (typeof recordings)[number];

describe('the commands of a recorded client are told as what they were', function () {
  this.timeout(120_000);
  const told = new Map<string, Promise<Told>>();

  // All at once, as the end of a session takes time.
  before(() => {
    for (const recording of recordings) told.set(recording.name, replayed(recording));
    return Promise.all(told.values());
  });

  for (const { name } of recordings) {
    it(name, async () => {
      expect(await told.get(name)).to.deep.equal(expected[name]);
    });
  }
});

/** Replays all commands, each to a gateway of its own on the same store. */
async function replayed({ generation, store }: Recording): Promise<Told> {
  const folder = await fixtureStore(`${generation}-${store}/store-empty`);
  const replays: { command: string; gateway: TestGateway; requests: number; added: Added }[] = [];
  for (const command of commands) {
    // Someone had removed the locks that were left.
    if (command === 'maintenance') await removeLocks(folder);
    const gateway = await startTestGateway(
      folder,
      { 'admin-listen': ['127.0.0.1:0'], [command === 'maintenance' ? 'allow-delete' : 'allow-write']: true },
      { sessionTimes: { staleMs: 6000, settledMs: 6000, idleMs: 3000 } },
    );
    const earlier = objectsIn(folder);
    const agent = new Agent({ keepAlive: true });
    const exchanges = recordingOf(store, command, generation);
    for (const { asked } of exchanges) await send(agent, gateway.httpPort, asked);
    agent.destroy();
    replays.push({ command, gateway, requests: exchanges.length, added: addedTo(folder, earlier) });
  }
  const told: Record<string, string> = {};
  for (const { command, gateway, requests, added } of replays) {
    const sessions = await endedSessions(gateway, ({ traffic }) => sumOf(traffic) === requests);
    told[command] = summary(sessions, added);
    await gateway.close();
  }
  return told as Told;
}

function sumOf(traffic: Status['traffic']): number {
  return traffic.reduce((sum, { requests }) => sum + requests, 0);
}

/** What the session was that wrote, which has to be one, and to have added what was added; else whether there were reads. */
function summary(sessions: readonly Session[], added: Added): string {
  const [first, ...others] = sessions.filter(({ kind }) => kind !== 'read');
  if (first === undefined) return sessions.length > 0 ? 'read' : 'nothing';
  expect(first).to.include(added);
  expect(others).to.deep.equal([]);
  return `${first.kind} ${first.outcome}`;
}

async function removeLocks(folder: string): Promise<void> {
  for (const lock of await readdir(join(folder, 'locks'))) await rm(join(folder, 'locks', lock));
}
