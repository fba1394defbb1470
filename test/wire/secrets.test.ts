import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { GrpcStore } from '../support/grpc-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, expectFailure, putAll } from '../support/store.js';
import { basic, clearProtocols, listing, password, startWithPrincipals, token } from './support/logging-in.js';
import { ask, RawHttp } from './support/raw-http.js';

describe('Tokens and passwords', () => {
  it('are in no log, no audit log and no answer, wherever they were sent', async () => {
    const gateway = await startWithPrincipals();
    const { httpPort, log, settings } = gateway;
    const secrets = [
      token,
      password,
      'wrong-secret',
      'c2VjcmV0',
      basic('ann', password).slice(6),
      encodeURIComponent(password),
    ];
    const answers: string[] = [];
    const paths = [
      '/blue',
      '/green/resources/states',
      '/nowhere',
      `/blue/resources/packfiles/${newRef('packfile').mac}`,
    ];
    for (const path of paths) {
      for (const target of [
        `${path}?token=${token}&auth_token=wrong-secret&password=${encodeURIComponent(password)}`,
        `http://ann:${encodeURIComponent(password)}@gateway${path}#${token}`,
        `${path}?${basic('ann', password).slice(6)}`,
      ]) {
        for (const authorization of [`Bearer ${token}`, basic('ann', password), undefined]) {
          for (const method of ['GET', 'PUT', 'DELETE']) {
            const { headers, body } = await ask(httpPort, method, target, {
              ...(authorization !== undefined && { Authorization: authorization }),
              'Content-Length': '0',
              'Proxy-Authorization': `Bearer ${token}`,
              Cookie: `token=${token}`,
              Referer: `http://ann:wrong-secret@elsewhere/?${token}`,
            });
            answers.push(JSON.stringify(headers), body.toString());
          }
        }
      }
    }
    // No more than are answered at once.
    const wrong = ['Bearer wrong-secret', basic('ann', 'wrong-secret'), `Basic ${token}`, `${token} x`];
    for (const [i, protocol] of clearProtocols.entries()) {
      const options = { store: 'blue', authorization: wrong[i] ?? '' };
      answers.push((await expectFailure(listing(protocol, gateway, options), 'unauthenticated')).message);
    }
    answers.push(await sent(httpPort, `GET /blue HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer ${token}\r\n\r\n`));
    answers.push(await sent(httpPort, `BREW /${token}?${token} HTTP/9\r\nAuthorization: Bearer ${token}\r\n\r\n`));
    await putAll(
      new GrpcStore(gateway.grpcPort, { store: 'blue', authorization: basic('ann', password) }),
      newRef('lock'),
      makeObject('lock', 100),
    );
    const audit = await eventually(async () => {
      const text = await readFile(String(settings['audit-log']), 'utf8');
      return text.includes('stored') && text;
    }, 'the audit log has all');
    expect(audit).to.include('"login"');
    expect(log.length).to.be.above(100);
    for (const secret of secrets) {
      expect(JSON.stringify(log)).to.not.include(secret);
      expect(audit).to.not.include(secret);
      expect(answers.join('\n')).to.not.include(secret);
    }
    await gateway.close();
  });
});

/** What comes back for bytes. */
async function sent(port: number, bytes: string): Promise<string> {
  const connection = await RawHttp.connect(port);
  await connection.send(bytes);
  return (await connection.untilClosed()).toString();
}
