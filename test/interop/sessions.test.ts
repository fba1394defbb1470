import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { SessionTimes } from '../../src/watch/session-tracker.js';
import type { Session } from '../../src/watch/session.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { grpcKlosetClients } from '../support/grpc-klosetclient.js';
import { klosetClients, type KlosetClient } from '../support/klosetclient.js';
import { seededBytes } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';
import { addedTo, endedSessions, objectsIn, statusOf, type Added } from './status.js';

/* What plakar's own client code does with a store, and what the gateway says that it was. */

const ways = [
  { way: 'HTTP', clients: klosetClients, locate: ({ httpPort }: TestGateway) => `http://127.0.0.1:${httpPort}/blue` },
  {
    way: 'gRPC',
    clients: grpcKlosetClients,
    locate: ({ grpcPort }: TestGateway) => `grpc://127.0.0.1:${grpcPort}/blue`,
  },
];

for (const { way, clients, locate } of ways) {
  describe(`what plakar's client code does over ${way} is told as`, function () {
    this.timeout(120_000);
    const clientOf = clients();
    let store: string;
    let tree: string;
    let gateway: TestGateway;
    let client: KlosetClient;
    /** What was in the store's folder when the gateway was started. */
    let earlier: ReadonlyMap<string, number>;

    before(async () => {
      store = join(await tempFolder(), 'store');
      // Small packfiles, so that some get full in the middle of a small backup.
      await clientOf(store).create(200_000);
      tree = await tempFolder();
      for (let i = 0; i < 60; i++) await writeFile(join(tree, `${i}`), seededBytes(30_000, `${way} ${i}`));
    });

    afterEach(() => gateway?.close());

    /** A principal's client of a gateway that knows nothing yet. */
    async function start(sessionTimes: SessionTimes): Promise<void> {
      earlier = objectsIn(store);
      gateway = await startTestGateway(
        undefined,
        {
          'admin-listen': ['127.0.0.1:0'],
          stores: { blue: { location: store } },
          principals: { 'web-1': { tokens: [`sha256:${tokenDigest('web-1')}`], access: { blue: 'full' } } },
        },
        { sessionTimes },
      );
      client = clientOf(locate(gateway), { authToken: 'web-1' });
    }

    /** The one session that wrote something. */
    async function told(): Promise<Session> {
      const writes = ({ kind }: Session): boolean => kind !== 'read';
      const sessions = (await endedSessions(gateway, (status) => status.sessions.some(writes))).filter(writes);
      expect(sessions).to.have.length(1);
      const [session] = sessions as [Session];
      expect(session).to.include({ store: 'blue', principal: 'web-1', address: '127.0.0.1' });
      return session;
    }

    const added = (kind?: string): Added => addedTo(store, earlier, kind);

    it('a backup', async () => {
      await start(ends);
      await client.backup(tree);
      const session = await told();
      const { newObjects, newBytes } = added();
      expect(newObjects).to.be.above(2);
      const what = { kind: 'backup', outcome: 'completed', checkpoints: 0, deletedObjects: 0, newObjects, newBytes };
      expect(session).to.include(what);
      const { machines } = await statusOf(gateway);
      const { startMs, endMs, address } = session;
      expect(machines.map(({ principal, lastBackup }) => ({ principal, lastBackup }))).to.deep.equal([
        { principal: 'web-1', lastBackup: { startMs, endMs, newBytes, address } },
      ]);
    });

    it('one backup with checkpoints, when it puts states in the course of it', async () => {
      await start(ends);
      await writeFile(join(tree, 'changed'), seededBytes(3_000_000, `${way}, changed`));
      await client.backup(tree, { pauseMs: 5, checkpointMs: 50 });
      const session = await told();
      const { newObjects: states } = added('states/');
      expect(states).to.be.above(1);
      const what = { kind: 'backup', outcome: 'completed', checkpoints: states - 1, deletedObjects: 0 };
      expect(session).to.include({ ...what, ...added() });
    });

    it('a removal of a snapshot', async () => {
      await start(ends);
      const [{ snapshot } = { snapshot: '' }] = await client.list();
      await client.remove(snapshot);
      const session = await told();
      expect(added().newObjects).to.equal(1);
      const what = { kind: 'removal', outcome: 'completed', checkpoints: 0, deletedObjects: 0 };
      expect(session).to.include({ ...what, ...added() });
    });

    it('a read', async () => {
      await start({ ...ends, idleMs: 60_000 });
      await client.check();
      await eventually(async () => {
        const { openSessions, sessions } = await statusOf(gateway);
        const [{ kind, readBytes, newObjects } = { kind: '', readBytes: 0, newObjects: 0 }] = openSessions;
        return sessions.length === 0 && kind === 'read' && readBytes > 1_000_000 && newObjects === 0;
      }, 'it is told as a read');
    });

    it('a failed backup, when the client is killed in the middle of it', async () => {
      await start({ staleMs: 2000, settledMs: 2000, idleMs: 300 });
      await writeFile(join(tree, 'large'), seededBytes(5_000_000, `${way}, large`));
      const kill = client.endlessBackup(tree);
      await eventually(async () => {
        const { openSessions } = await statusOf(gateway);
        return openSessions.some(({ kind, newObjects }) => kind === 'backup' && newObjects > 0);
      }, 'it has put a packfile');
      await kill();
      const session = await told();
      expect(session).to.include({ kind: 'backup', outcome: 'failed', checkpoints: 0, ...added() });
      expect(session.reason).to.match(/its client is gone|put of a packfile/);
      const { machines } = await statusOf(gateway);
      expect(machines.map(({ lastFailure }) => lastFailure)).to.deep.equal([
        { endMs: session.endMs, reason: session.reason },
      ]);
    });

    it('a maintenance that deletes', async () => {
      await start(ends);
      const deleted = await client.maintain(3);
      const session = await told();
      expect(deleted).to.have.length(3);
      const gone = [...earlier.keys()].filter((path) => deleted.some((mac) => path.endsWith(mac)));
      const left = objectsIn(store);
      expect(gone.filter((path) => !left.has(path))).to.have.length(3);
      const what = { kind: 'maintenance', outcome: 'completed', deletedObjects: 3, checkpoints: 0 };
      expect(session).to.include({ ...what, ...added() });
    });
  });
}

/** Those who read are gone at once; those with a lock take their time. */
const ends: SessionTimes = { staleMs: 60_000, settledMs: 60_000, idleMs: 300 };
