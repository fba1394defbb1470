import { expect } from 'chai';
import type { Config } from '../../../src/config/config.js';
import { eventNames } from '../../../src/core/event.js';
import { configOf, problemsOf } from '../../support/config.js';

describe('the notifications of a configuration', () => {
  const url = 'https://alerts.example.org/backup?key=x';
  const mail = { server: 'smtps://mail.example.org', from: 'gateway@example.org', to: 'ops@example.org' };
  const of = (notify: unknown): Config['notify'] => configOf({ notify } as object).notify;
  const wrong = (notify: unknown): string[] => problemsOf({ notify });

  it('go to one webhook or several, each with its secret and its events', () => {
    expect(of({ webhook: { url } }).webhooks).to.deep.equal([{ url, secret: undefined, events: new Set(eventNames) }]);
    const several = [
      { url, secret: 's', events: ['overdue'] },
      { url, 'secret-file': 'keys/webhook' },
    ];
    expect(of({ webhook: several }).webhooks).to.deep.equal([
      { url, secret: { value: 's' }, events: new Set(['overdue', 'test']) },
      { url, secret: { file: '/srv/keys/webhook' }, events: new Set(eventNames) },
    ]);
    expect(of({ 'warn-free-space': '1TiB' })).to.include({ warnFreeBytes: 1024 ** 4 });
  });

  it('go to mailboxes, by a server that needs TLS, STARTTLS, or neither', () => {
    const login = { user: 'gateway', 'password-file': '~/mail.pw' };
    expect(of({ mail: { ...mail, ...login, events: ['removal'] } }).mail).to.deep.equal({
      host: 'mail.example.org',
      port: 465,
      tls: 'implicit',
      user: 'gateway',
      password: { file: '/home/op/mail.pw' },
      from: 'gateway@example.org',
      to: ['ops@example.org'],
      events: new Set(['removal', 'test']),
    });
    const servers = ['smtp+starttls://mail.example.org', 'smtp://127.0.0.1', 'smtps://[::1]:4650/'];
    expect(servers.map((server) => of({ mail: { ...mail, server } }).mail)).to.containSubset([
      { host: 'mail.example.org', port: 587, tls: 'required', user: undefined, password: undefined },
      { host: '127.0.0.1', port: 25, tls: 'offered' },
      { host: '::1', port: 4650, tls: 'implicit' },
    ]);
    expect(of({ mail: { ...mail, to: ['a@example.org', 'b@example.org'] } }).mail?.to).to.have.length(2);
  });

  it("can't be configured in ways that can't work, and problems repeat no secret", () => {
    const problems: Record<string, unknown> = {
      'notify.webhook.url: must be a URL that starts with https:// or http://': { webhook: { url: 'ftp://x/secret' } },
      "notify.webhook[1].url: can't contain a user": { webhook: [{ url }, { url: 'https://u:secret@x/' }] },
      'notify.webhook: url is missing': { webhook: {} },
      'notify.webhook.secret-file: there is a secret as well': {
        webhook: { url, secret: 'secret', 'secret-file': 'f' },
      },
      'notify.webhook.events[0]: unknown event: did you mean overdue?': { webhook: { url, events: ['over-due'] } },
      'notify.mail.events[0]: unknown event: there are overdue, back-on-time': { mail: { ...mail, events: ['test'] } },
      'notify.mail.events: ': { mail: { ...mail, events: [] } },
      'notify.mail.server: must be smtps://HOST': { mail: { ...mail, server: 'mail.example.org' } },
      'notify.mail.server: must end after the host': { mail: { ...mail, server: 'smtp://h/secret' } },
      "notify.mail.server: can't contain a user or a password: set user": {
        mail: { ...mail, server: 'smtps://u:secret@mail.example.org' },
      },
      'notify.mail.from: must be the address of a mailbox': { mail: { ...mail, from: 'a@b\nbcc: c@d' } },
      'notify.mail.to: ': { mail: { ...mail, to: [] } },
      'notify.mail.to[1]: must be the address': { mail: { ...mail, to: ['a@b', 'ops'] } },
      'notify.mail.user: a user needs a password': { mail: { ...mail, user: 'u' } },
      'notify.mail: a password needs a user': { mail: { ...mail, 'password-file': 'f' } },
      'notify.mail.password-file: there is a password as well': {
        mail: { ...mail, user: 'u', password: 'secret', 'password-file': 'f' },
      },
      'notify.mails: unknown setting: did you mean mail?': { mails: mail },
      'notify: must be a map': [],
    };
    for (const [problem, notify] of Object.entries(problems)) {
      const [found = '', ...more] = wrong(notify);
      expect(more, problem).to.deep.equal([]);
      expect(found.startsWith(problem), `${found} starts with ${problem}`).to.equal(true);
      expect(found.slice(problem.length)).not.to.include('secret');
    }
  });
});
