import { expect } from 'chai';
import type { MailConfig } from '../../src/config/types.js';
import { Mail } from '../../src/notify/mail.js';
import { Notifier } from '../../src/notify/notifier.js';
import { trySend, type DeliveryFailure } from '../../src/notify/target.js';
import type { WatchEvent } from '../../src/core/event.js';
import { makeCertificate, type Certificate } from '../support/certificate.js';
import { eventually } from '../support/store.js';
import { login, MailServer } from './support/mail-server.js';
import { allEvents, event, Lines, notifyOf } from './support/setup.js';

describe('mails', () => {
  let certificate: Certificate;
  let server: MailServer;
  let lines: Lines;

  before(async () => {
    certificate = await makeCertificate();
  });

  beforeEach(async () => {
    lines = new Lines();
    server = await MailServer.start(certificate);
  });

  afterEach(() => server.close());

  function config(settings: Partial<MailConfig> = {}): MailConfig {
    return {
      host: '127.0.0.1',
      port: server.port,
      tls: 'offered',
      user: undefined,
      password: undefined,
      from: 'gateway@example.org',
      to: ['ops@example.org', 'boss@example.org'],
      events: allEvents,
      ...settings,
    };
  }

  const send = (settings: Partial<MailConfig> = {}, about: WatchEvent = event(7)): Promise<string | DeliveryFailure> =>
    trySend(new Mail(config(settings), lines), about);

  const problemOf = async (settings: Partial<MailConfig>): Promise<{ message: string; isAboutEvent: boolean }> => {
    const result = await send(settings);
    if (typeof result === 'string') throw new Error(`it was sent: ${result}`);
    const { message, isAboutEvent } = result;
    return { message, isAboutEvent };
  };

  it('say in the subject what happened, and which machine and store it is about', async () => {
    expect(await send()).to.equal('250');
    const [mail] = server.taken;
    expect(mail).to.deep.include({ from: 'gateway@example.org', to: ['ops@example.org', 'boss@example.org'] });
    const [head = '', body = ''] = mail?.raw.replaceAll('\r\n', '\n').split(/\n\n(.*)/s) ?? [];
    const headers = head.replace(/\n\s+/g, ' ').split('\n');
    expect(headers).to.include.members([
      'Subject: [kloset-gateway] web-1 has not backed up into teams/blue for 27 h',
      'From: gateway@example.org',
      'To: ops@example.org, boss@example.org',
      'Date: Mon, 23 Nov 2026 15:14:06 +0000',
      'Message-ID: <7@example.org>',
      'Auto-Submitted: auto-generated',
      'X-Kloset-Gateway-Event: overdue',
    ]);
    expect(body.trim().split('\n')).to.deep.equal([
      event(7).text,
      '',
      'Event: overdue',
      'Time: 2026-11-23T15:14:06.000Z',
      'Store: teams/blue',
      'Principal: web-1',
    ]);
  });

  it('have no header that a name or a text could add', async () => {
    await send({}, event(8, { text: `web-1\r\nBcc: eve@example.org\r\n\r\nhello ${'é'.repeat(200)}. No.`, store: '' }));
    const [mail] = server.taken;
    expect(mail?.to).to.deep.equal(['ops@example.org', 'boss@example.org']);
    expect(mail?.raw.split('\r\n\r\n')[0]).to.not.match(/^Bcc/m);
  });

  it('are encrypted where that is offered, and in the clear otherwise', async () => {
    await send();
    const plain = await MailServer.start(certificate, { disabledCommands: ['STARTTLS'] });
    await send({ port: plain.port });
    await plain.close();
    expect(server.taken.map(({ isEncrypted }) => isEncrypted)).to.deep.equal([true]);
    expect(plain.taken.map(({ isEncrypted }) => isEncrypted)).to.deep.equal([false]);
  });

  it('are not sent where encryption is required and there is none, or the certificate is not trusted', async () => {
    expect((await problemOf({ tls: 'required' })).message).to.match(/^self-signed certificate/);
    const implicit = await MailServer.start(certificate, { secure: true });
    const untrusted = await problemOf({ tls: 'implicit', port: implicit.port });
    expect(untrusted.message).to.match(/^self-signed certificate/);
    const plain = await MailServer.start(certificate, { disabledCommands: ['STARTTLS'] });
    expect((await problemOf({ tls: 'required', port: plain.port })).message).to.match(/STARTTLS/);
    await Promise.all([implicit.close(), plain.close()]);
    expect([...server.taken, ...implicit.taken, ...plain.taken]).to.deep.equal([]);
  });

  it('log in with the password, which is not sent in the clear to other machines, and never shown', async () => {
    const password = { value: login.password };
    await send({ user: login.user, password });
    expect(server.taken.map(({ user }) => user)).to.deep.equal([login.user]);
    const wrong = await problemOf({ user: login.user, password: { value: 'Wr0ng' } });
    expect(wrong).to.deep.equal({ message: 'it refuses the login (535)', isAboutEvent: false });
    const missing = await problemOf({ user: login.user, password: { file: '/nowhere/mail.pw' } });
    expect(missing.message).to.equal("the password /nowhere/mail.pw can't be read: it does not exist");
    // It is this machine, but not known as that.
    const elsewhere = await problemOf({ host: '0.0.0.0', user: login.user, password });
    expect(elsewhere.message).to.match(/^self-signed certificate/);
  });

  it('reach the recipients that are not refused', async () => {
    expect(await send({ to: ['no-one@example.org', 'ops@example.org'] })).to.equal(
      '250, refused for no-one@example.org',
    );
    expect(lines.all.map(({ fields }) => fields)).to.deep.equal([
      { target: 'mail 127.0.0.1', recipients: ['no-one@example.org'] },
    ]);
    const refused = await problemOf({ to: ['no-one@example.org'] });
    expect(refused).to.include({ isAboutEvent: true });
    expect(refused.message).to.include('there is no such mailbox');
  });

  it('wait until the server takes them, each once and in order', async () => {
    server.busy = 2;
    const limits = { firstPauseMs: 1, maxPauseMs: 5, graceMs: 1 };
    const notifier = await Notifier.open({ stateDir: undefined, log: lines, limits });
    notifier.configure({ notify: notifyOf({ mail: config({ events: new Set(['overdue']) }) }), principals: [] });
    for (const each of [event(0), event(1, { event: 'removal' }), event(2)]) notifier.notify(each);
    await eventually(async () => notifier.pending === 0, 'all are sent');
    await notifier.close();
    expect(server.taken.map(({ raw }) => /^Message-ID: <(\d)/m.exec(raw)?.[1])).to.deep.equal(['0', '2']);
    expect(lines.levels()).to.deep.equal(['warn', 'info']);
  });
});
