import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { WatchEvent } from '../../src/core/event.js';
import type { MachineStatus } from '../../src/watch/status.js';
import { MailServer } from '../notify/support/mail-server.js';
import { Receiver } from '../notify/support/receiver.js';
import { makeCertificate } from '../support/certificate.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { klosetClients } from '../support/klosetclient.js';
import { seededBytes } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';
import { admin, statusOf } from './status.js';

/* Three machines with plakar's own client code. All back up, and then one of them is left out for longer than it may be. */

/** How long each may go without a backup. */
const expected = { 'web-1': '1h', 'web-2': '26h', 'web-3': '3s' };

describe('three machines back up with plakar, and one is left out for its time', function () {
  this.timeout(120_000);
  // Each has a home of its own.
  const homes = Object.keys(expected).map((name) => ({ name, clientOf: klosetClients(), tree: '' }));
  let receiver: Receiver;
  let mailServer: MailServer;
  let gateway: TestGateway;

  before(async () => {
    receiver = await Receiver.start();
    mailServer = await MailServer.start(await makeCertificate(), { disabledCommands: ['STARTTLS'] });
    const store = join(await tempFolder(), 'store');
    await homes[0]?.clientOf(store).create();
    gateway = await startTestGateway(undefined, {
      'admin-listen': ['127.0.0.1:0'],
      stores: { 'teams/blue': { location: store } },
      principals: Object.fromEntries(
        Object.entries(expected).map(([name, time]) => [
          name,
          {
            tokens: [`sha256:${tokenDigest(name)}`],
            access: { 'teams/blue': 'append' as const },
            'expect-backup': { 'teams/blue': time },
          },
        ]),
      ),
      notify: {
        webhook: { url: `http://${receiver.host}/alerts` },
        mail: {
          server: `smtp://127.0.0.1:${mailServer.port}`,
          from: 'gateway@example.org',
          to: ['ops@example.org'],
        },
      },
    });
    for (const home of homes) {
      home.tree = await tempFolder();
      await writeFile(join(home.tree, 'file'), seededBytes(100_000, home.name));
    }
    await Promise.all(homes.map(({ name }) => backup(name)));
  });

  after(async () => {
    await gateway?.close();
    receiver?.close();
    await mailServer?.close();
  });

  async function backup(machine: string): Promise<void> {
    const { clientOf, tree } = homes.find(({ name }) => name === machine) ?? expect.fail(machine);
    const location = `http://127.0.0.1:${gateway.httpPort}/teams/blue`;
    const { errors, lockError } = await clientOf(location, { authToken: machine }).backup(tree);
    expect({ errors, lockError }).to.deep.equal({ errors: 0, lockError: undefined });
  }

  /** The rows of the machines, by name, once all have backed up and those are overdue. */
  const machines = (overdue: readonly string[]): Promise<Map<string, MachineStatus>> =>
    eventually(
      async () => {
        const rows = (await statusOf(gateway)).machines;
        const late = rows.filter(({ isOverdue }) => isOverdue).map(({ principal }) => principal);
        const isSo = rows.every(({ lastBackup }) => lastBackup !== undefined) && String(late) === String(overdue);
        return isSo && new Map(rows.map((row) => [row.principal, row]));
      },
      `overdue: ${overdue.join() || 'none'}`,
    );

  /** The values of a metric, by principal. */
  async function metric(name: string): Promise<Record<string, number>> {
    const lines = (await admin(gateway, '/metrics')).matchAll(
      new RegExp(`^${name}\\{store="teams/blue",principal="([^"]+)"\\} (.+)$`, 'gm'),
    );
    return Object.fromEntries([...lines].map(([, principal = '', value]) => [principal, Number(value)]));
  }

  const events = (): WatchEvent[] => receiver.taken.map(({ body }) => JSON.parse(body) as WatchEvent);

  it('which is told by the status, the page, the metrics, a webhook and a mail, and when each has backed up', async () => {
    const rows = await machines(['web-3']);
    expect([...rows.keys()].sort()).to.deep.equal(Object.keys(expected));
    expect(await admin(gateway, '/')).to.include('1 of 3 machines is overdue');
    expect(await metric('kloset_gateway_backup_overdue')).to.deep.equal({ 'web-1': 0, 'web-2': 0, 'web-3': 1 });
    const times = await metric('kloset_gateway_last_backup_timestamp_seconds');
    const bytes = await metric('kloset_gateway_last_backup_new_bytes');
    for (const [name, { lastBackup }] of rows) {
      expect(times[name], name).to.be.closeTo((lastBackup?.endMs ?? NaN) / 1000, 0.001);
      expect(bytes[name], name).to.equal(lastBackup?.newBytes).and.above(100_000);
    }
    const since = rows.get('web-3')?.lastBackup?.endMs ?? NaN;
    const isAbout = ({ event, time }: WatchEvent): boolean => event === 'overdue' && Date.parse(time) > since;
    const told = await eventually(async () => events().find(isAbout), 'the webhook is sent');
    const text = /^web-3 has not backed up into teams\/blue for \d+ s/;
    expect(told).to.include({ store: 'teams/blue', principal: 'web-3' });
    expect(told.text).to.match(text);
    await eventually(
      async () => mailServer.taken.some(({ raw }) => /^Subject: .*web-3 has not backed up/m.test(raw)),
      'the mail is sent',
    );
  });

  it('until it backs up again, and nobody is told of the others', async () => {
    const earlier = events().length;
    await backup('web-3');
    const isBack = ({ event, principal }: WatchEvent): boolean => event === 'back-on-time' && principal === 'web-3';
    await eventually(async () => events().slice(earlier).some(isBack), 'the webhook is sent');
    const told = new Set(events().flatMap(({ principal }) => principal ?? []));
    expect([...told]).to.deep.equal(['web-3']);
  });
});
