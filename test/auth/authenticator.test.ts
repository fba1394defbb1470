import { expect } from 'chai';
import { compareSync, hashSync } from 'bcryptjs';
import { timingSafeEqual } from 'node:crypto';
import { Authenticator, type AuthenticatorOptions } from '../../src/auth/authenticator.js';
import type { Htpasswd } from '../../src/auth/htpasswd.js';
import { LoginThrottle } from '../../src/auth/throttle.js';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { PrincipalConfig } from '../../src/config/types.js';
import type { Caller, Peer } from '../../src/core/caller.js';
import { StoreError, type ErrorCode } from '../../src/core/errors.js';
import { expectFailure } from '../support/store.js';
import { FakeClock, settle } from './fake-clock.js';
import { notWatched } from '../support/config.js';

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const peer: Peer = { listener: 'network', address: '192.0.2.1' };
const htpasswd: Htpasswd = {
  entries: new Map([
    ['ann', hashSync('secret', 4)],
    ['web-1', hashSync('web password', 4)],
    ['operator', hashSync('operator password', 4)],
  ]),
};

describe('Authenticator', () => {
  let clock: FakeClock;
  let throttle: LoginThrottle;
  /** How often secrets were compared. */
  let compared: { bytes: number; passwords: number };
  let principals: PrincipalConfig[];

  beforeEach(() => {
    clock = new FakeClock();
    throttle = new LoginThrottle(clock);
    compared = { bytes: 0, passwords: 0 };
    principals = [
      {
        name: 'web-1',
        tokens: [
          { sha256: tokenDigest('kgw_web'), expiresMs: undefined },
          { sha256: tokenDigest('kgw_short'), expiresMs: clock.now() + 1000 },
        ],
        certificates: ['dns:Web-1.example.org', 'cn:web-1', 'dns:shared.example.org'],
        access: new Map(),
        listeners: undefined,
        ...notWatched,
      },
      {
        name: 'operator',
        tokens: [{ sha256: tokenDigest('kgw_operator'), expiresMs: undefined }],
        certificates: ['cn:operator', 'dns:Shared.example.org'],
        access: new Map(),
        listeners: new Set(['admin']),
        ...notWatched,
      },
    ];
  });

  function open(options: Partial<AuthenticatorOptions> = {}): Authenticator {
    return new Authenticator({
      principals,
      htpasswd: undefined,
      throttle,
      now: clock.now,
      comparePassword: async (password, hash) => {
        compared.passwords++;
        return compareSync(password, hash);
      },
      sameBytes: (a, b) => {
        compared.bytes++;
        return timingSafeEqual(a, b);
      },
      ...options,
    });
  }

  /** How a login ends. */
  async function login(authenticator: Authenticator, header: string | undefined, from = peer): Promise<Caller> {
    return await authenticator.login(from, header);
  }

  async function refusal(authenticator: Authenticator, header: string | undefined, from = peer): Promise<string> {
    return (await expectFailure(login(authenticator, header, from), 'unauthenticated')).message;
  }

  const withCertificate = (names: string[], problem?: string): Peer => ({
    ...peer,
    certificate: problem === undefined ? { names } : { names, problem },
  });

  const admitted: [string, string | undefined, string[] | undefined, string | undefined][] = [
    ['nobody without credentials', undefined, undefined, undefined],
    ['a bearer of a token', 'Bearer kgw_web', undefined, 'web-1'],
    ['a bearer in lower case', 'bearer kgw_web', undefined, 'web-1'],
    ['a second token of the same', 'Bearer kgw_short', undefined, 'web-1'],
    ['a token as password, with its name', basic('web-1:kgw_web'), undefined, 'web-1'],
    ['a token as password, without a name', basic(':kgw_web'), undefined, 'web-1'],
    ['a certificate by its common name', undefined, ['cn:web-1'], 'web-1'],
    ['a certificate by an alternative name', undefined, ['cn:x', 'dns:web-1.example.org'], 'web-1'],
    ['a certificate by two names of the same', undefined, ['cn:web-1', 'dns:web-1.example.org'], 'web-1'],
    ['a token, though the certificate is nobody’s', 'Bearer kgw_web', ['cn:x'], 'web-1'],
    ['a password', basic('ann:secret'), undefined, 'ann'],
    ['a password of a principal that has tokens as well', basic('web-1:web password'), undefined, 'web-1'],
  ];
  for (const [what, header, names, principal] of admitted) {
    it(`admits ${what}`, async () => {
      const from = names === undefined ? peer : withCertificate(names);
      expect(await login(open({ htpasswd }), header, from)).to.deep.equal({ principal, peer: from });
    });
  }

  const refused: [string, string | undefined, string[] | undefined][] = [
    ['a token that is nobody’s', 'Bearer kgw_nobody', undefined],
    ['a part of a token', 'Bearer kgw_we', undefined],
    ['the digest of a token', `Bearer ${tokenDigest('kgw_web')}`, undefined],
    ['a token with another’s name', basic('operator:kgw_web'), undefined],
    ['a token with a name that is not there', basic('x:kgw_web'), undefined],
    ['a name without a token', basic('web-1:'), undefined],
    ['a token as name', basic('kgw_web:'), undefined],
    ['a password as token', 'Bearer secret', undefined],
    ['a password with another’s name', basic('web-1:secret'), undefined],
    ['a password without a name', basic(':secret'), undefined],
    ['a password with a name that is not there', basic('x:secret'), undefined],
    ['an empty header', '', undefined],
    ['another scheme', 'Digest username="web-1"', undefined],
    ['a certificate that is nobody’s', undefined, ['cn:x']],
    ['a certificate without names', undefined, []],
    ['a certificate of several', undefined, ['cn:web-1', 'cn:operator']],
    ['a name that several have', undefined, ['dns:shared.example.org']],
    ['a wrong token, though the certificate is right', 'Bearer kgw_nobody', ['cn:web-1']],
  ];
  for (const [what, header, names] of refused) {
    for (const file of [htpasswd, undefined]) {
      it(`refuses ${what}, ${file ? 'with' : 'without'} an htpasswd file`, async () => {
        const from = names === undefined ? peer : withCertificate(names);
        await refusal(open({ htpasswd: file }), header, from);
      });
    }
  }

  it('ignores all credentials where there are no principals', async () => {
    const open1 = open({ principals: [] });
    expect(open1.canLogIn).to.equal(false);
    for (const header of ['Bearer kgw_web', 'nonsense', undefined]) {
      expect(await open1.login(peer, header)).to.deep.equal({ principal: undefined, peer });
    }
    expect(open({ principals: [], htpasswd }).canLogIn).to.equal(true);
    expect(open().canLogIn).to.equal(true);
  });

  it('checks no password for tokens, certificates and anonymous callers', async () => {
    const authenticator = open({ htpasswd });
    await authenticator.login(peer, undefined);
    await authenticator.login(peer, 'Bearer kgw_web');
    await authenticator.login(peer, basic('web-1:kgw_web'));
    await authenticator.login(withCertificate(['cn:web-1']), undefined);
    expect(compared.passwords).to.equal(0);
  });

  it('accepts a token until it expires, also on a connection that stays open', async () => {
    const authenticator = open();
    await login(authenticator, 'Bearer kgw_short');
    await clock.pass(999);
    await login(authenticator, 'Bearer kgw_short');
    await clock.pass(1);
    expect(await refusal(authenticator, 'Bearer kgw_short')).to.match(/has expired/);
    expect(await refusal(authenticator, basic('web-1:kgw_short'))).to.match(/has expired/);
  });

  it('gives one error for all wrong credentials, and reveals an expiry only to the token’s holder', async () => {
    await clock.pass(1000);
    const authenticator = open({ htpasswd, throttle: new LoginThrottle({ now: clock.now, sleep: settle }) });
    const headers = ['Bearer kgw_nobody', basic('x:kgw_nobody'), basic('operator:kgw_short'), basic('x:kgw_web')];
    const more = [basic('ann:wrong'), basic('web-1:wrong'), basic('x:secret')];
    const texts = new Set<string>();
    for (const header of [...headers, ...more]) texts.add(await refusal(authenticator, header));
    expect([...texts]).to.have.length(1);
    for (const text of texts) expect(text).to.match(/ask the gateway's operator/);
  });

  it('repeats no secret', async () => {
    const authenticator = open({ htpasswd });
    for (const header of ['Bearer hunter2', basic('ann:hunter2'), 'Basic hunter2~', 'hunter2']) {
      expect(await refusal(authenticator, header)).to.not.include('hunter2');
    }
  });

  it('lists the names of an unknown certificate, with control characters escaped', async () => {
    const text = await refusal(
      open(),
      undefined,
      withCertificate(['cn:a\u001b[2J"', 'dns:b.example.org', 'cn:\u009bé']),
    );
    expect(text).to.include('"cn:a\\u001b[2J\\"", "dns:b.example.org", "cn:\\u009b\\u00e9"');
    const many = await refusal(open(), undefined, withCertificate(Array<string>(7).fill(`cn:${'x'.repeat(500)}`)));
    expect(many).to.include('and 2 more').and.to.have.length.below(800);
  });

  it('refuses a certificate that is not trusted, and says why', async () => {
    const text = await refusal(open(), undefined, withCertificate(['cn:web-1'], 'it has expired'));
    expect(text).to.match(/certificate isn't accepted: it has expired/);
  });

  it('compares as often for a name that is not there as for a wrong token or password', async () => {
    /** What a refusal costs. */
    async function cost(file: Htpasswd | undefined, header: string): Promise<typeof compared> {
      compared = { bytes: 0, passwords: 0 };
      await refusal(open({ htpasswd: file, throttle: new LoginThrottle(clock) }), header);
      return compared;
    }
    for (const header of ['Bearer kgw_nobody', basic('web-1:kgw_nobody'), basic('x:kgw_nobody'), basic('x:kgw_web')]) {
      expect(await cost(undefined, header)).to.deep.equal({ bytes: 1, passwords: 0 });
    }
    for (const header of [
      basic('ann:wrong'),
      basic('web-1:wrong'),
      basic('x:wrong'),
      basic(':wrong'),
      basic('x:kgw_web'),
    ]) {
      expect(await cost(htpasswd, header)).to.deep.equal({ bytes: 1, passwords: 1 });
    }
  });

  describe('with a password that was right', () => {
    const header = basic('ann:secret');

    it('checks it once a minute', async () => {
      const authenticator = open({ htpasswd });
      for (let i = 0; i < 3; i++) await login(authenticator, header);
      await clock.pass(60_000);
      await login(authenticator, header);
      expect(compared.passwords).to.equal(1);
      await clock.pass(1);
      await login(authenticator, header);
      expect(compared.passwords).to.equal(2);
    });

    it('refuses it as soon as a new file lacks it', async () => {
      await login(open({ htpasswd }), header);
      await refusal(open({ htpasswd: { entries: new Map([['ann', hashSync('new', 4)]]) } }), header);
      await refusal(open({ htpasswd: { entries: new Map() } }), header);
    });

    it('checks it once for many concurrent requests, which count once in the queue', async () => {
      const authenticator = open({ htpasswd });
      const callers = await Promise.all(Array.from({ length: 1000 }, () => login(authenticator, header)));
      expect(new Set(callers.map(({ principal }) => principal))).to.deep.equal(new Set(['ann']));
      expect(compared.passwords).to.equal(1);
    });

    it('checks it once for requests of different addresses', async () => {
      const authenticator = open({ htpasswd });
      const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
      await Promise.all(addresses.map((address) => login(authenticator, header, { ...peer, address })));
      expect(compared.passwords).to.equal(1);
    });

    it('tells each request its own peer', async () => {
      const authenticator = open({ htpasswd });
      const peers = [1, 2].map((): Peer => ({ ...peer }));
      const callers = await Promise.all(peers.map((from) => login(authenticator, header, from)));
      expect(callers.map((caller) => peers.findIndex((from) => from === caller.peer))).to.deep.equal([0, 1]);
    });
  });

  describe('after too many failed logins of an address', () => {
    let authenticator: Authenticator;
    let ends: (ErrorCode | 'in')[];

    /** Logs in without waiting for how that ends. */
    function attempt(header: string | undefined, from = peer): void {
      login(authenticator, header, from).then(
        () => ends.push('in'),
        (error: unknown) => ends.push(StoreError.from(error).code),
      );
    }

    beforeEach(async () => {
      authenticator = open({ htpasswd });
      await login(authenticator, basic('ann:secret'));
      for (let i = 0; i < 5; i++) await refusal(authenticator, 'Bearer kgw_nobody');
      ends = [];
    });

    for (const header of ['Bearer kgw_nobody', 'nonsense', basic('ann:wrong'), basic('web-1:web password')]) {
      it(`holds back the answer to ${JSON.stringify(header)}`, async () => {
        const before = compared.passwords;
        attempt(header);
        await settle();
        expect(ends).to.deep.equal([]);
        expect(compared.passwords).to.equal(before);
        await clock.pass(100);
        expect(ends).to.have.length(1);
      });
    }

    it('delays no valid token, remembered password, certificate or anonymous caller', async () => {
      const headers = ['Bearer kgw_web', basic('web-1:kgw_web'), basic('ann:secret'), undefined];
      for (const header of headers) attempt(header);
      attempt(undefined, withCertificate(['cn:web-1']));
      await settle();
      expect(ends).to.deep.equal(['in', 'in', 'in', 'in', 'in']);
      expect(clock.sleeping).to.deep.equal([]);
    });

    it('still delays answers after a reload', async () => {
      authenticator = open({ htpasswd });
      attempt('Bearer kgw_nobody');
      await settle();
      expect(ends).to.deep.equal([]);
      expect(clock.sleeping).to.deep.equal([100]);
    });

    it('counts the same wrong password of many requests at once as one', async () => {
      for (let i = 0; i < 50; i++) attempt(basic('ann:wrong'));
      await clock.pass(100);
      expect(ends).to.deep.equal(Array(50).fill('unauthenticated'));
      attempt('Bearer kgw_nobody');
      await settle();
      expect(clock.sleeping).to.deep.equal([200]);
    });

    it('refuses at once what comes when sixteen answers are held back', async () => {
      for (let i = 0; i < 17; i++) attempt(`Bearer kgw_${i}`);
      await settle();
      expect(ends).to.deep.equal(['too_many_requests']);
    });

    it('does not delay another address that sends the same password', async () => {
      attempt(basic('web-1:web password'));
      attempt(basic('web-1:web password'), { ...peer, address: '192.0.2.2' });
      await settle();
      expect(ends).to.deep.equal(['in']);
    });

    it('slows down no other address', async () => {
      const from: Peer = { ...peer, address: '192.0.2.2' };
      attempt('Bearer kgw_nobody', from);
      await settle();
      expect(ends).to.deep.equal(['unauthenticated']);
    });
  });
});
