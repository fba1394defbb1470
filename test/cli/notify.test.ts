import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testNotifications } from '../../src/cli/notify.js';
import type { Outcome } from '../../src/cli/outcome.js';
import { login, MailServer } from '../notify/support/mail-server.js';
import { Receiver } from '../notify/support/receiver.js';
import { Authority, makeCertificate } from '../support/certificate.js';
import { surroundings } from '../support/config.js';
import { program } from '../support/program.js';
import { tempFolder } from '../support/temp.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A configuration file with these settings. */
async function file(settings: object): Promise<string> {
  const path = join(await tempFolder(), 'kloset-gateway.yaml');
  await writeFile(path, JSON.stringify({ location: '/srv/kloset', ...settings }), { mode: 0o600 });
  return path;
}

async function run(settings: object): Promise<Outcome> {
  return testNotifications({ flags: {}, env: {}, configPath: await file(settings), surroundings });
}

describe('notify test', () => {
  it('sends a test by every channel, whatever events are chosen, with TLS and a login, and says so', async () => {
    const authority = await Authority.create();
    const certificate = await authority.issue();
    const events: unknown[] = [];
    const web = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
      void json(request).then((body) => {
        events.push(body);
        response.writeHead(204).end();
      });
    });
    await once(web.listen(0, 'localhost'), 'listening');
    const mails = await MailServer.start(certificate, { authOptional: false });
    const host = `localhost:${(web.address() as AddressInfo).port}`;
    const configPath = await file({
      notify: {
        webhook: { url: `https://${host}/s3cret`, secret: 'k', events: ['removal'] },
        mail: {
          server: `smtp+starttls://localhost:${mails.port}`,
          ...login,
          from: 'gateway@example.org',
          to: 'ops@example.org',
          events: ['overdue'],
        },
      },
    });
    const args = [...program, 'notify', 'test', '--config', configPath];
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority.certFile };
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
    web.close();
    await mails.close();
    expect(stdout).to.equal(`webhook ${host}: sent (204)\nmail localhost: sent (250)\n`);
    expect(events).to.have.length(1);
    expect(events[0]).to.include({ event: 'test' });
    expect(mails.taken.map(({ user, isEncrypted }) => ({ user, isEncrypted }))).to.deep.equal([
      { user: login.user, isEncrypted: true },
    ]);
  });

  it('fails if one cannot be reached, says why without secrets, and still tries the others', async () => {
    const mails = await MailServer.start(await makeCertificate());
    const receivers = await Promise.all([Receiver.start(), Receiver.start(), Receiver.start()]);
    const [good, moved, gone] = receivers;
    moved.answer = () => 302;
    const webhooks = [good, moved, gone].map(({ host }) => ({ url: `http://${host}/s3cret` }));
    const hosts = [good, moved, gone].map(({ host }) => host);
    gone.close();
    const server = `smtp://127.0.0.1:${mails.port}`;
    const mail = { server, user: 'gateway', password: 'Wr0ng', from: 'gateway@example.org', to: 'ops@example.org' };
    const { exitCode, stdout, stderr } = await run({ notify: { webhook: webhooks, mail } });
    good.close();
    moved.close();
    await mails.close();
    expect(exitCode).to.equal(1);
    expect(stdout.split('\n')).to.deep.equal([
      `webhook ${hosts[0]}: sent (204)`,
      `webhook ${hosts[1]}: not sent: it answered 302, a redirect, which is not followed`,
      `webhook ${hosts[2]}: not sent: connect ECONNREFUSED ${hosts[2]}`,
      'mail 127.0.0.1: not sent: it refuses the login (535)',
      '',
    ]);
    expect(stderr).to.not.include('s3cret').and.to.not.include('Wr0ng');
  });

  it('is refused with problems of the settings, and where there is nowhere to send an event to', async () => {
    expect(await run({})).to.deep.equal({
      exitCode: 2,
      stdout: '',
      stderr: 'kloset-gateway: there is nowhere to send an event to: set notify in the configuration file\n',
    });
    const { exitCode, stderr } = await run({ notify: { webhook: { url: 'ftp://s3cret.example.org' } } });
    expect(exitCode).to.equal(2);
    expect(stderr)
      .to.match(/^kloset-gateway: .*notify\.webhook/)
      .and.to.not.include('s3cret');
  });
});
