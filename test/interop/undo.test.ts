import { expect } from 'chai';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import { formatSftpLocation } from '../../src/backends/sftp/location.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { runCommand } from '../../src/cli/run-command.js';
import type { Settings } from '../../src/config/config.js';
import { formatMoment } from '../../src/core/moment.js';
import { host, startTestGateway, type TestGateway } from '../support/gateway.js';
import { grpcKlosetClients } from '../support/grpc-klosetclient.js';
import { klosetClients, type KlosetClient, type Snapshot } from '../support/klosetclient.js';
import { seededBytes } from '../support/objects.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { tempFolder } from '../support/temp.js';
import { objectsIn } from './status.js';
import { treeAt } from './tree.js';

/* What plakar's own client code hid or deleted is there in a view from before, and again in the store once it is restored. */

/** How a store is kept: where, by a path of its folder, and with which settings. */
interface Place {
  locate(folder: string): string;
  readonly settings: Settings;
  readonly close: () => Promise<void>;
}

async function sshServer(): Promise<Place> {
  const sshd = await Sshd.start();
  return {
    locate: (folder) => formatSftpLocation(sshd.location(folder)),
    settings: sshd.settings,
    close: () => sshd.stop(),
  };
}

const places = [
  { place: 'in a folder', open: async () => ({ locate: String, settings: {}, close: async () => undefined }) },
  { place: 'on an SSH server', open: sshServer, isMissing: () => !hasSshd() },
] satisfies readonly { place: string; open: () => Promise<Place>; isMissing?: () => boolean }[];

const hourMs = 3_600_000;

for (const { place, open, isMissing } of places) {
  describe(`after a loss, a store with a trash, ${place}`, function () {
    this.timeout(60_000);
    const clientOf = klosetClients();
    const grpcClientOf = grpcKlosetClients();
    let kept: Place;
    let store: string;
    let itself: KlosetClient;
    let gateway: TestGateway;
    let earlier: Map<string, string>;
    let snapshots: Snapshot[];
    /** A moment when both backups were there, and nothing else had happened. */
    let moment: string;

    before('back up a tree twice', async function () {
      if (isMissing?.()) return this.skip();
      kept = await open();
      store = join(await tempFolder(), 'store');
      itself = clientOf(store);
      await itself.create(200_000);
      const tree = await tempFolder();
      const change = async (name: string, bytes: number, seed = name): Promise<void> =>
        writeFile(join(tree, name), seededBytes(bytes, `${place} ${seed}`));
      for (let i = 0; i < 20; i++) await change(`${i}`, 30_000);
      earlier = await treeAt(tree);
      await itself.backup(tree);
      await change('3', 40_000, 'other');
      await itself.backup(tree);
      snapshots = await itself.list();
      expect(snapshots).to.have.length(2);
      moment = await longAgo();
      const stores = { blue: { location: kept.locate(store), trash: '14d' } };
      const principals = Object.fromEntries(
        (['full', 'append', 'read-only'] as const).map((access) => [
          access,
          { tokens: [`sha256:${tokenDigest(access)}`], access: { blue: access } },
        ]),
      );
      gateway = await startTestGateway(undefined, { ...kept.settings, stores, principals });
    });

    after(async () => {
      await gateway?.close();
      await kept?.close();
    });

    const through = (principal: string): KlosetClient =>
      clientOf(`http://127.0.0.1:${gateway.httpPort}/blue`, { authToken: principal });

    /** Clients of the store as it was before, who may only read it. */
    const views = (): KlosetClient[] => [
      clientOf(`http://127.0.0.1:${gateway.httpPort}/blue@${moment}`, { authToken: 'read-only' }),
      grpcClientOf(`grpc://127.0.0.1:${gateway.grpcPort}/blue@${moment}`, { authToken: 'read-only' }),
    ];

    /** Makes all that there is an hour older, since times of files may be rounded. Resolves to a moment after its arrival. */
    async function longAgo(): Promise<string> {
      const nowMs = Date.now();
      const arrived = new Date(nowMs - hourMs);
      for (const path of objectsIn(store).keys()) await utimes(join(store, path), arrived, arrived);
      return formatMoment(nowMs - hourMs / 2);
    }

    async function expectWhole(client: KlosetClient): Promise<void> {
      const [list, checked, restored] = await Promise.all([client.list(), client.check(), client.restore(first())]);
      expect(list).to.deep.equal(snapshots);
      expect(checked).to.equal(2);
      expect(await treeAt(restored)).to.deep.equal(earlier);
    }

    const first = (): string => snapshots[0]?.snapshot ?? '';

    /** What an operator types, beside the running gateway. Resolves to what it prints. */
    async function command(...words: string[]): Promise<string> {
      const ssh = Object.entries(kept.settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
      let output = '';
      const context = {
        env: {},
        surroundings: { home: '/nonexistent', cwd: '/' },
        host,
        user: { name: 'operator', home: '/nonexistent', env: { PATH: process.env['PATH'] } },
        print: async (text: string) => void (output += text),
        terminal: undefined,
      };
      const { exitCode, stdout, stderr } = await runCommand(parseCommandLine([...words, ...ssh]), context);
      expect(exitCode, stderr).to.equal(0);
      return output + stdout;
    }

    const restore = (): Promise<string> => command('restore-states', kept.locate(store), '--as-of', moment, '--apply');

    it('has again what the tombstones of an append caller hid', async () => {
      const { length } = await itself.objects('state');
      for (const { snapshot } of snapshots) await through('append').remove(snapshot);
      expect(await itself.list()).to.deep.equal([]);
      await Promise.all(views().map(expectWhole));

      await restore();
      expect(await itself.objects('state')).to.have.length(length);
      await expectWhole(itself);
      expect(await through('read-only').list()).to.deep.equal(snapshots);
    });

    it('has again what a removal, a maintenance and deletes of states destroyed', async () => {
      const had = objectsIn(store);
      const packfiles = await itself.objects('packfile');
      await through('full').remove(first());
      expect(await through('full').maintain(packfiles.length)).to.have.members(packfiles);
      await Promise.all(snapshots.map(({ snapshot }) => through('full').delete('state', snapshot)));
      expect([...objectsIn(store).keys()].filter((path) => had.has(path))).to.deep.equal([]);
      await Promise.all(views().map(expectWhole));

      await restore();
      expect(objectsIn(store)).to.deep.equal(had);
      await expectWhole(itself);
      expect(await through('read-only').check()).to.equal(2);
    });

    it('is an ordinary store for clients of its folder, whatever is in the trash', async () => {
      const trashed = JSON.parse(await command('trash', 'list', kept.locate(store), '--json')) as { objects: object[] };
      expect(trashed.objects).to.have.length.of.at.least(5);
      const [packfile = '', ...others] = await itself.objects('packfile');
      expect(await itself.maintain(1)).to.deep.equal([packfile]);
      expect(await itself.objects('packfile')).to.have.members(others);
      // What went behind the gateway's back is gone.
      expect(JSON.parse(await command('trash', 'list', kept.locate(store), '--json'))).to.deep.equal(trashed);
    });
  });
}
