import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCommandLine } from '../../src/cli/parse.js';
import { runCommand } from '../../src/cli/run-command.js';
import { formatMoment } from '../../src/core/moment.js';
import { host, type TestGateway } from '../support/gateway.js';
import { klosetClients } from '../support/klosetclient.js';
import { seededBytes } from '../support/objects.js';
import { s3Server } from '../support/s3-server.js';
import { startS3Gateway } from '../support/s3-store.js';
import { tempFolder } from '../support/temp.js';
import { treeAt } from './tree.js';

/** More than the services' clocks tell, in milliseconds. */
const tickMs = 1100;

describe('after a loss, a store in S3 with a trash', function () {
  this.timeout(120_000);
  const clientOf = klosetClients();
  const server = s3Server({ versions: true });
  let gateway: TestGateway | undefined;

  after(() => gateway?.close());

  it("has again what a removal, a maintenance and deletes of states by plakar's client destroyed", async () => {
    const made = join(await tempFolder(), 'store');
    await clientOf(made).create(200_000);
    const prefix = 'plakar';
    await server().put(`${prefix}/CONFIG`, await readFile(join(made, 'CONFIG')));
    gateway = await startS3Gateway(server(), prefix, { trash: '14d' });
    const url = `http://127.0.0.1:${gateway.httpPort}`;
    const client = clientOf(url);
    const tree = await tempFolder();
    for (let i = 0; i < 20; i++) await writeFile(join(tree, String(i)), seededBytes(30_000, `s3 ${i}`));
    const earlier = await treeAt(tree);
    await client.backup(tree);
    await writeFile(join(tree, '3'), seededBytes(40_000, 's3 other'));
    await client.backup(tree);
    const snapshots = await client.list();
    expect(snapshots).to.have.length(2);
    const [{ snapshot: first } = { snapshot: '' }] = snapshots;
    await sleep(tickMs);
    const moment = formatMoment(Date.now());
    await sleep(tickMs);

    const packfiles = await client.objects('packfile');
    await client.remove(first);
    expect(await client.maintain(packfiles.length)).to.have.members(packfiles);
    for (const { snapshot } of snapshots) await client.delete('state', snapshot);
    const expectWhole = async (of: typeof client): Promise<void> => {
      expect(await of.list()).to.deep.equal(snapshots);
      expect(await of.check()).to.equal(2);
      expect(await treeAt(await of.restore(first))).to.deep.equal(earlier);
    };
    await expectWhole(clientOf(`${url}/@${moment}`));

    const words = ['restore-states', server().location(prefix), '--no-s3-tls', '--as-of', moment, '--apply'];
    const { exitCode, stderr } = await runCommand(parseCommandLine(words), {
      env: {},
      surroundings: { home: '/nonexistent', cwd: '/' },
      host,
      user: { name: 'operator', home: '/nonexistent', env: server().env },
      print: async () => undefined,
      terminal: undefined,
    });
    expect(exitCode, stderr).to.equal(0);
    await expectWhole(clientOf(url));
  });
});
