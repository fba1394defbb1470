import { expect } from 'chai';
import { makeConfig, type Config, type Settings } from '../../src/config/config.js';
import { openListeners } from '../../src/config/open.js';

const surroundings = { home: '/home/op', cwd: '/srv' };
const hash = (digit: string): string => `sha256:${digit.repeat(64)}`;

function config(settings: Settings): Config {
  const made = makeConfig(settings, surroundings);
  if ('problems' in made) throw new Error(made.problems.join('; '));
  return made.config;
}

/** Of anything, whatever its type. */
function problems(settings: object): string[] {
  const made = makeConfig(settings, surroundings);
  return 'problems' in made ? made.problems : [];
}

/** What callers may do with the default store who don't log in. */
function anonymous(settings: Settings, store = ''): string | undefined {
  return config(settings).stores.get(store)?.anonymous;
}

describe('makeConfig', () => {
  it('lets callers read on localhost, and syncs, where nothing is said', () => {
    const made = config({});
    expect(made).to.deep.include({
      principals: [],
      htpasswd: undefined,
      tls: undefined,
      durable: true,
      noAuth: false,
      v10: { enabled: true, maxDocumentBytes: 40 * 1024 ** 2 },
      drainMs: 30_000,
      auditLog: undefined,
      logLevel: 'info',
      logFormat: undefined,
    });
    expect([...made.stores]).to.deep.equal([
      ['', { location: { scheme: 'fs', path: '/home/op/.plakar' }, anonymous: 'read-only', quotaBytes: undefined }],
    ]);
    const listener = { maxAccess: 'full', tls: false, mode: undefined, owner: undefined };
    expect(made.listeners).to.deep.equal([
      { ...listener, name: 'localhost:9876', protocol: 'http', address: { host: 'localhost', port: 9876 } },
      { ...listener, name: 'localhost:9877', protocol: 'grpc', address: { host: 'localhost', port: 9877 } },
    ]);
    expect(made.limits).to.deep.equal({
      maxObjectBytes: 4 * 1024 ** 3,
      minFreeBytes: 1024 ** 3,
      maxHeaderBytes: 16 * 1024,
      headerTimeoutMs: 30_000,
      minRate: 1024,
      stallMs: 60_000,
      idleMs: 120_000,
      maxConnections: 20_000,
      maxRequests: 256,
      maxUploads: 64,
      queueMs: 30_000,
      maxStreams: 256,
      maxResets: 1000,
    });
  });

  it('reports every problem at once, each with its place, and of the wrong ones and the right ones together', () => {
    const all = problems({
      listen: [':1', { adress: ':2', mode: 660 }],
      stores: { a: { location: '/a', qouta: 1 }, b: {}, 'c/../d': { location: '/c' } },
      principals: { web: { access: { A: 'append' }, tokens: [hash('1')] }, db: { tokens: [], access: { a: 'reed' } } },
      cert: 'x',
      durability: 'maybe',
      'max-uploads': 0,
      allow_write: true,
      x: null,
    });
    const places = all.map((each) => each.slice(0, each.indexOf(': ')));
    expect(places).to.have.members([
      'listen[1]',
      'listen[1].adress',
      'listen[1].mode',
      'stores.a.qouta',
      'stores.b',
      'stores."c/../d"',
      'principals.web.access.A',
      'principals.db',
      'principals.db.access.a',
      'cert',
      'durability',
      'max-uploads',
      'allow_write',
      'x',
    ]);
    expect(all).to.include.members([
      'listen[1]: its address is missing',
      'listen[1].adress: there is no such setting: did you mean address?',
      'stores.a.qouta: there is no such setting: did you mean quota?',
      'allow_write: there is no such setting: did you mean allow-write?',
      'x: there is no such setting',
    ]);
  });

  it('takes a value of the wrong type for a problem, whatever it is', () => {
    for (const value of [5, true, null, 'x', [], [[]], {}, { a: 1 }, { a: [] }, [null]]) {
      for (const name of ['listen', 'stores', 'principals', 'cert', 'quota', 'no-auth', 'ssh-identity', 'min-rate']) {
        expect(() => problems({ [name]: value }), `${name} ${JSON.stringify(value)}`).not.to.throw();
      }
    }
    expect(problems({ stores: [] })).to.deep.equal(['stores: it has to be a map: names with their values']);
    expect(problems({ cert: 5, key: 'k' })).to.deep.equal([
      'cert: it has to be text: put it in quotes if it looks like a number',
    ]);
  });

  it('understands sizes and times with units, and without', () => {
    const quota = (value: string | number): unknown =>
      config({ location: '/x', quota: value }).stores.get('')?.quotaBytes;
    const drain = (value: string | number): unknown => config({ 'drain-timeout': value }).drainMs;
    expect([1, '1', '512KiB', '1.5 MiB', '2TiB', '10GB', '7B'].map(quota)).to.deep.equal([
      1,
      1,
      512 * 1024,
      1.5 * 1024 ** 2,
      2 * 1024 ** 4,
      10 * 1000 ** 3,
      7,
    ]);
    expect([5, '5', '0.25', '250ms', '30s', '5m', '1h', '2 d'].map(drain)).to.deep.equal([
      5000, 5000, 250, 250, 30_000, 300_000, 3_600_000, 172_800_000,
    ]);
    for (const wrong of [-1, 1.5, '', 'x', '1PiB', '1kib', 'KiB', '1e9', '0']) {
      expect(problems({ quota: wrong }), String(wrong)).to.have.length(1);
    }
    for (const wrong of [-1, '', 'x', '1y', '1m30s', '25d', '-5s']) {
      expect(problems({ 'drain-timeout': wrong }), String(wrong)).to.have.length(1);
    }
  });

  it("takes the limit of plakar 1.0's documents in MiB, or with a unit", () => {
    const limit = (value: string | number): number => config({ 'http-v1.0-limit': value }).v10.maxDocumentBytes;
    expect([limit(5), limit('5'), limit('64MiB')]).to.deep.equal([5 * 1024 ** 2, 5 * 1024 ** 2, 64 * 1024 ** 2]);
    expect(problems({ 'http-v1.0-limit': '10000' })).to.have.length(1);
    expect(problems({ 'http-v1.0-limit': '512KiB' })).to.have.length(1);
  });
});

describe('the stores of a configuration', () => {
  it('are the default one alone where no other is named, with what is said about it', () => {
    expect(anonymous({ 'allow-write': true })).to.equal('append');
    expect(anonymous({ 'allow-delete': true })).to.equal('full');
    expect(anonymous({ 'allow-write': false })).to.equal('read-only');
    expect(config({ sample: true }).stores.get('')?.location).to.equal('sample');
    expect(config({ location: 'x', quota: '1KiB' }).stores.get('')).to.deep.include({
      location: { scheme: 'fs', path: '/srv/x' },
      quotaBytes: 1024,
    });
  });

  it('are those that are named, and the default one only where it is given, too', () => {
    const stores = { 'teams/blue': { location: '~/blue', quota: '2TiB' } };
    expect([...config({ stores }).stores.keys()]).to.deep.equal(['teams/blue']);
    expect([...config({ stores, location: '/x' }).stores.keys()]).to.deep.equal(['teams/blue', '']);
    expect(config({ stores }).stores.get('teams/blue')).to.deep.equal({
      location: { scheme: 'fs', path: '/home/op/blue' },
      anonymous: 'read-only',
      quotaBytes: 2 * 1024 ** 4,
    });
  });

  it('are closed to those who do not log in where anybody can log in, unless more is said', () => {
    const stores = {
      '': { location: '/d' },
      a: { location: '/a' },
      b: { location: '/b', anonymous: 'read-only' as const },
    };
    const principals = { web: { tokens: [hash('1')], access: { a: 'append' as const } } };
    expect(anonymous({ stores, principals }, 'a')).to.equal('none');
    expect(anonymous({ stores, principals }, 'b')).to.equal('read-only');
    expect(anonymous({ stores, htpasswd: 'f' }, 'a')).to.equal('none');
    expect(anonymous({ htpasswd: 'f' })).to.equal('none');
    expect(anonymous({ stores, principals, 'allow-write': true })).to.equal('append');
    expect(anonymous({ stores, principals, 'allow-write': true }, 'a')).to.equal('none');
    expect(anonymous({ stores: { '': { location: '/d', anonymous: 'full' } }, 'allow-write': true })).to.equal('full');
  });

  it('have the default one said once', () => {
    const stores = { '': { location: '/d' } };
    expect(problems({ stores, location: '/x', quota: 1, sample: true })).to.have.length(3);
    expect(problems({ stores: { a: { location: '/a' } }, quota: 1 }).join()).to.include('there is none');
    expect(problems({ stores: { a: { location: '/a' } }, 'allow-write': true }).join()).to.include('there is none');
    expect(problems({ sample: true, location: '/x' })).to.have.length(1);
    expect(problems({ stores: {} })).to.have.length(1);
  });

  it('have names that no path can be taken for, and real places', () => {
    for (const name of ['..', 'a//b', '/a', 'a/', '.a', 'states', 'a/config', 'a b']) {
      expect(problems({ stores: { [name]: { location: '/a' } } }), name).to.have.length(1);
    }
    expect(problems({ stores: { a: { location: 's3://x' } } }).join()).to.match(
      /^stores\.a\.location: it has to be a path/,
    );
  });
});

describe('the listeners of a configuration', () => {
  it('are addresses, or maps, one or several, or off', () => {
    const made = config({
      listen: {
        name: 'admin',
        address: 'unix:/run/a.sock',
        mode: '0660',
        owner: 'root:backup',
        'max-access': 'append',
      },
      'grpc-listen': 'off',
      'metrics-listen': ['localhost:9878', { address: '[::1]:9879' }],
    });
    expect(made.listeners.map(({ name, protocol }) => [name, protocol])).to.deep.equal([
      ['admin', 'http'],
      ['localhost:9878', 'metrics'],
      ['[::1]:9879', 'metrics'],
    ]);
    expect(made.listeners[0]).to.deep.include({
      address: { path: '/run/a.sock' },
      maxAccess: 'append',
      mode: 0o660,
      owner: { user: 'root', group: 'backup' },
    });
    const owners = ['7', ':7'].map((owner) => config({ listen: { address: 'unix:/a', owner } }).listeners[0]?.owner);
    expect(owners).to.deep.equal([
      { user: '7', group: undefined },
      { user: undefined, group: '7' },
    ]);
  });

  it('speak TLS over TCP where there is a certificate, unless they say otherwise', () => {
    const { listeners, tls } = config({
      listen: [
        'localhost:1',
        'unix:/a',
        'systemd',
        { address: 'localhost:2', tls: false },
        { address: 'unix:/b', tls: true },
      ],
      'metrics-listen': 'localhost:3',
      cert: 'c.pem',
      key: '/k.pem',
    });
    const speaking = Object.fromEntries(listeners.map(({ name, tls: speaks }) => [name, speaks]));
    expect(speaking).to.deep.equal({
      'localhost:1': true,
      'unix:/a': false,
      systemd: true,
      'localhost:2': false,
      'unix:/b': true,
      'localhost:9877': true,
      'localhost:3': false,
    });
    expect(tls).to.deep.equal({ cert: '/srv/c.pem', key: '/k.pem', clientCa: undefined, clientCertRequired: false });
  });

  it('have names of their own, also where several take any free port', () => {
    const { listeners } = config({ listen: ['127.0.0.1:0', '127.0.0.1:0'], 'grpc-listen': '127.0.0.1:0' });
    expect(new Set(listeners.map(({ name }) => name)).size).to.equal(3);
    expect(listeners[0]?.name).to.equal('127.0.0.1:0');
  });

  it('are refused where they can not be', () => {
    const wrong: Record<string, Settings> = {
      'listen[1]: localhost:1 is listened at already': { listen: ['localhost:1', 'localhost:1'] },
      'grpc-listen: localhost:1 is listened at already': { listen: ['localhost:1'], 'grpc-listen': 'localhost:1' },
      'listen[1].name: there is a listener of this name already: a': {
        listen: [
          { address: 'localhost:1', name: 'a' },
          { address: 'localhost:2', name: 'a' },
        ],
      },
      'listen[1]: off goes with no other listen': { listen: ['localhost:1', 'off'] },
      'listen: there is nothing to serve': { listen: ['off'], 'grpc-listen': 'off', 'metrics-listen': 'localhost:1' },
      'listen.mode: only unix sockets have that': { listen: { address: 'localhost:1', mode: '0660' } },
      'listen.owner: only unix sockets have that': { listen: { address: 'localhost:1', owner: 'x' } },
      'listen.tls: there is no certificate for it': { listen: { address: 'localhost:1', tls: true } },
      'listen.address: an address is': { listen: { address: 'x' } },
      'grpc-listen[0]: an address is': { 'grpc-listen': ['nonsense'] },
    };
    for (const [problem, settings] of Object.entries(wrong)) {
      expect(problems(settings), problem).to.have.length(1);
      expect(problems(settings)[0]).to.include(problem);
    }
  });
});

describe('the certificates of a configuration', () => {
  it('come with their keys, and what needs them with them', () => {
    const both = { cert: 'c', key: 'k' };
    expect(problems({ cert: 'c' })).to.deep.equal(['cert: there is no key for this certificate: give the key, too']);
    expect(problems({ key: 'k' })).to.deep.equal(['key: there is no certificate for this key: give the cert, too']);
    expect(problems({ 'client-ca': 'x' }).join()).to.match(/^client-ca: .*give a cert/);
    expect(problems({ ...both, 'client-cert': 'required' }).join()).to.match(/^client-cert: .*give a client-ca/);
    expect(config({ ...both, 'client-ca': '~/ca', 'client-cert': 'required' }).tls).to.deep.equal({
      cert: '/srv/c',
      key: '/srv/k',
      clientCa: '/home/op/ca',
      clientCertRequired: true,
    });
  });
});

describe('the principals of a configuration', () => {
  const stores = { a: { location: '/a' } };
  const of = (principals: object, more: object = {}): string[] => problems({ stores, principals, ...more });

  it('have tokens, certificates, access and listeners', () => {
    const sha256 = 'AB'.repeat(32);
    const { principals } = config({
      stores,
      listen: { name: 'network', address: 'localhost:1' },
      cert: 'c',
      key: 'k',
      'client-ca': 'ca',
      principals: {
        web: {
          tokens: [`sha256:${sha256}`, { sha256: hash('1'), expires: '2027-01-31' }, { sha256: '2'.repeat(64) }],
          certificates: ['cn:web'],
          access: { a: 'append', '*': 'read-only' },
          listeners: ['network'],
        },
      },
    });
    expect(principals).to.deep.equal([
      {
        name: 'web',
        tokens: [
          { sha256: sha256.toLowerCase(), expiresMs: undefined },
          { sha256: '1'.repeat(64), expiresMs: Date.parse('2027-02-01T00:00:00Z') - 1 },
          { sha256: '2'.repeat(64), expiresMs: undefined },
        ],
        certificates: ['cn:web'],
        access: new Map([
          ['a', 'append'],
          ['*', 'read-only'],
        ]),
        listeners: new Set(['network']),
      },
    ]);
  });

  it('are refused a token itself, which is never repeated, and told how to make a hash', () => {
    for (const token of ['kgw_secret', 'f'.repeat(64), 'sha256:kgw_secret', { sha256: 'kgw_secret' }]) {
      const [problem = '', ...more] = of({ web: { tokens: [token] } });
      expect(more).to.deep.equal([]);
      expect(problem)
        .to.match(/^principals\.web\.tokens\[0\](\.sha256)?: .*token create/)
        .and.not.include('secret');
    }
  });

  it('need a way to log in, which is theirs alone', () => {
    expect(of({ web: { access: { a: 'append' } } }).join()).to.match(/^principals\.web: it has no way to log in/);
    expect(of({ web: { access: { a: 'append' } } }, { htpasswd: 'f' })).to.deep.equal([]);
    expect(of({ web: { tokens: [hash('1')] }, db: { tokens: [{ sha256: hash('1') }] } })).to.deep.equal([
      'principals.db.tokens[0]: web has this token, too: each needs its own',
    ]);
    expect(of({ web: { tokens: [hash('1'), hash('1')] } })).to.deep.equal([
      'principals.web.tokens[1]: it has this twice',
    ]);
    const trusted = { cert: 'c', key: 'k', 'client-ca': 'ca' };
    expect(of({ web: { certificates: ['cn:x'] }, db: { certificates: ['cn:x'] } }, trusted)).to.have.length(1);
    expect(of({ web: { certificates: ['cn:x'] } }).join()).to.match(/certificates: .*give a client-ca/);
    expect(of({ web: { certificates: ['web-1'] } }, trusted)).to.have.length(1);
  });

  it('are given nothing that is not there', () => {
    const web = { tokens: [hash('1')] };
    expect(of({ web: { ...web, access: { '': 'append' } } })).to.deep.equal([
      'principals.web.access."": there is no store of this name, only a',
    ]);
    expect(of({ web: { ...web, access: { '': 'append', a: 'full', '*': 'none' } } }, { location: '/x' })).to.deep.equal(
      [],
    );
    expect(of({ web: { ...web, listeners: ['localhost:9878'] } })).to.deep.equal([
      'principals.web.listeners[0]: there is no listener of this name: did you mean localhost:9876?',
    ]);
    expect(of({ web: { ...web, listeners: [] } })).to.have.length(1);
  });

  it('have names that logs and passwords files can carry', () => {
    for (const name of ['anonymous', 'a:b', 'a b', '', 'a\nb', 'x'.repeat(201)]) {
      expect(of({ [name]: { tokens: [hash('1')] } }), name).to.have.length(1);
    }
    expect(of({ 'ops@example.org': { tokens: [hash('1')] } })).to.deep.equal([]);
  });

  it('have tokens that end on real days', () => {
    const expiring = (expires: unknown): string[] => of({ web: { tokens: [{ sha256: hash('1'), expires }] } });
    for (const right of ['2027-01-31', '2028-02-29', '2027-01-31T12:00Z', '2027-01-31T12:00:00+02:00']) {
      expect(expiring(right), right).to.deep.equal([]);
    }
    for (const wrong of [
      '2027-02-29',
      '2027-13-01',
      '31.1.2027',
      '90d',
      '2027-01-31T12:00',
      '2027-01-31T25:00Z',
      2027,
    ]) {
      expect(expiring(wrong), String(wrong)).to.have.length(1);
    }
  });
});

describe('writing without logging in', () => {
  for (const access of ['allow-write', 'allow-delete'] as const) {
    it(`is refused with --${access} on each address that others reach, unless it is meant`, () => {
      const settings = { listen: [':1', 'localhost:2', 'unix:/s'], 'grpc-listen': ['0.0.0.0:3'], [access]: true };
      expect(problems(settings)).to.have.length(2);
      expect(problems(settings).join()).to.match(/:1 could write.*--no-auth.*0\.0\.0\.0:3 could write/);
      expect(problems({ ...settings, 'no-auth': true })).to.deep.equal([]);
    });
  }

  it('is refused for any store, and only where the listener allows it, too', () => {
    const stores = { a: { location: '/a', anonymous: 'append' as const }, b: { location: '/b' } };
    expect(problems({ stores, listen: ':1' }).join()).to.match(/^listen: whoever reaches :1 could write to a,/);
    expect(problems({ stores, listen: { address: ':1', 'max-access': 'read-only' } })).to.deep.equal([]);
    expect(problems({ stores, 'metrics-listen': ':1' })).to.deep.equal([]);
  });

  it('is not refused where nobody gets in without a certificate', () => {
    const tls = { cert: 'c', key: 'k', 'client-ca': 'ca' };
    const settings = { listen: ':1', 'grpc-listen': 'off', 'allow-write': true, ...tls };
    expect(problems(settings)).to.have.length(1);
    expect(problems({ ...settings, 'client-cert': 'required' })).to.deep.equal([]);
    const plain = { ...settings, 'client-cert': 'required', listen: { address: ':1', tls: false } };
    expect(problems(plain)).to.have.length(1);
  });

  it('has listeners told where others can read so', () => {
    const open = (settings: Settings): string[] => openListeners(config(settings)).map(({ name }) => name);
    expect(open({ listen: [':1', 'localhost:2'], 'grpc-listen': '10.0.0.1:3' })).to.deep.equal([':1', '10.0.0.1:3']);
    expect(open({ listen: ':1', htpasswd: 'f' })).to.deep.equal([]);
    expect(open({ listen: { address: ':1', 'max-access': 'none' } })).to.deep.equal([]);
    expect(open({ 'metrics-listen': ':1' })).to.deep.equal([]);
  });
});
