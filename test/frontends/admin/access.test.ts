import { expect } from 'chai';
import { AdminAccess } from '../../../src/access/admin-access.js';
import { grantsOf } from '../../../src/access/grants.js';
import { Authenticator } from '../../../src/auth/authenticator.js';
import { LoginThrottle } from '../../../src/auth/throttle.js';
import { tokenDigest } from '../../../src/auth/tokens.js';
import type { Settings } from '../../../src/config/config.js';
import type { AdminRequest } from '../../../src/core/admin-access-control.js';
import type { Peer } from '../../../src/core/caller.js';
import { StoreError } from '../../../src/core/errors.js';
import { configOf } from '../../support/config.js';

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const listener = { 'admin-listen': [{ address: 'status.example.org:9880', name: 'admin' }], location: '/srv/store' };
const withToken: Settings = { ...listener, 'admin-token': `sha256:${tokenDigest('kgw_admin')}` };
const principal = (token: string, admin: boolean, more = {}) => ({
  tokens: [`sha256:${tokenDigest(token)}`],
  admin,
  ...more,
});
const withPrincipals: Settings = {
  ...listener,
  principals: {
    ann: principal('kgw_ann', true),
    'web-1': principal('kgw_web', false),
    elsewhere: principal('kgw_elsewhere', true, { listeners: ['localhost:9876'] }),
  },
};

const remote: Peer = { listener: 'admin', address: '192.0.2.7' };
const loopback: Peer = { listener: 'admin', address: '127.0.0.1' };

describe('AdminAccess', () => {
  let throttle: LoginThrottle;
  /** The delays that it asked for, in milliseconds. */
  let delays: number[];

  beforeEach(() => {
    delays = [];
    throttle = new LoginThrottle({ now: () => 0, sleep: async (ms) => void delays.push(ms) });
  });

  function accessOf(settings: Settings): AdminAccess {
    const config = configOf(settings);
    const { principals } = config;
    const comparePassword = async (): Promise<boolean> => false;
    const authenticator = new Authenticator({
      principals,
      htpasswd: undefined,
      throttle,
      comparePassword,
      now: Date.now,
    });
    return new AdminAccess({ config, authenticator, grants: grantsOf(config), throttle });
  }

  /** `yes`, or the code of the refusal. */
  async function ask(access: AdminAccess, peer: Peer, request: Partial<AdminRequest> = {}): Promise<string> {
    const full = { part: 'status', host: 'localhost:9880', authorization: undefined, ...request } as const;
    return access.check(peer, full).then(
      () => 'yes',
      (error: unknown) => StoreError.from(error).code,
    );
  }

  for (const [what, settings] of [
    ['nothing is configured', listener],
    ['there is an admin token', withToken],
    ['there are admins', withPrincipals],
  ] as const) {
    it(`lets this machine see everything if ${what}`, async () => {
      const access = accessOf(settings);
      for (const host of [
        'localhost',
        'LOCALHOST:9880',
        '127.0.0.1:9880',
        '127.8.8.8',
        '[::1]:9880',
        'status.example.org',
        undefined,
      ])
        expect(await ask(access, loopback, { host }), host).to.equal('yes');
      expect(await ask(access, { ...loopback, address: '::1' })).to.equal('yes');
      expect(await ask(access, { ...loopback, address: 'unix socket' }, { host: 'anything' })).to.equal('yes');
    });
  }

  for (const host of [
    'evil.example.org',
    'evil.example.org:9880',
    'localhost.example.org',
    '127.0.0.1.example.org',
    '192.0.2.7:9880',
    '',
    '[::2]',
  ])
    it(`does not take a request over loopback that names ${JSON.stringify(host)} for one of this machine`, async () => {
      expect(await ask(accessOf(listener), loopback, { host })).to.equal('permission_denied');
      expect(await ask(accessOf(withToken), loopback, { host })).to.equal('unauthenticated');
      expect(await ask(accessOf(withToken), loopback, { host, authorization: 'Bearer kgw_admin' })).to.equal('yes');
    });

  it('shows other machines the metrics only if nothing is configured', async () => {
    const access = accessOf(listener);
    expect(await ask(access, remote, { part: 'metrics' })).to.equal('yes');
    expect(await ask(access, remote)).to.equal('permission_denied');
    expect(await ask(access, remote, { authorization: 'Bearer kgw_admin' })).to.equal('permission_denied');
  });

  const logins: [string, Settings, string | undefined, string][] = [
    ['nobody without a login', withToken, undefined, 'unauthenticated'],
    ['the admin token', withToken, 'Bearer kgw_admin', 'yes'],
    ['the admin token as the password of any name', withToken, basic('whoever:kgw_admin'), 'yes'],
    ['the admin token as the password of no name', withToken, basic(':kgw_admin'), 'yes'],
    ['another token', withToken, 'Bearer kgw_other', 'unauthenticated'],
    ['the hash of the admin token', withToken, `Bearer ${tokenDigest('kgw_admin')}`, 'unauthenticated'],
    ['the admin token as a name', withToken, basic('kgw_admin:'), 'unauthenticated'],
    ['what is no login', withToken, 'nonsense', 'unauthenticated'],
    ['nobody without a login, if there are admins', withPrincipals, undefined, 'unauthenticated'],
    ['an admin', withPrincipals, 'Bearer kgw_ann', 'yes'],
    ['an admin by name', withPrincipals, basic('ann:kgw_ann'), 'yes'],
    ["an admin's token with another name", withPrincipals, basic('web-1:kgw_ann'), 'unauthenticated'],
    ['a principal that is no admin', withPrincipals, 'Bearer kgw_web', 'unauthenticated'],
    ['an admin that may not use the listener', withPrincipals, 'Bearer kgw_elsewhere', 'permission_denied'],
  ];
  for (const [what, settings, authorization, answer] of logins) {
    it(`${answer === 'yes' ? 'admits' : 'refuses'} ${what}`, async () => {
      for (const part of ['status', 'metrics'] as const)
        expect(await ask(accessOf(settings), remote, { part, authorization }), part).to.equal(answer);
    });
  }

  for (const [what, settings] of [
    ['an admin token', withToken],
    ['admins', withPrincipals],
  ] as const) {
    it(`slows down who guesses, if there is ${what}`, async () => {
      const access = accessOf(settings);
      for (let i = 0; i < 8; i++) await ask(access, remote, { authorization: `Bearer kgw_guess${i}` });
      expect(delays).to.deep.equal([100, 200, 400]);
    });
  }
});
