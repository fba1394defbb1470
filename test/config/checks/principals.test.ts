import { expect } from 'chai';
import { configOf, hash, problemsOf } from '../../support/config.js';

describe('the principals of a configuration', () => {
  const stores = { a: { location: '/a' } };
  const of = (principals: object, more: object = {}): string[] => problemsOf({ stores, principals, ...more });

  it('have tokens, certificates, access and listeners, and what is expected of them', () => {
    const sha256 = 'AB'.repeat(32);
    const { principals } = configOf({
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
          admin: true,
          'expect-backup': { a: '26h' },
          ping: { a: 'https://ping.example.org/web' },
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
        admin: true,
        expectBackupMs: new Map([['a', 26 * 3_600_000]]),
        pings: new Map([['a', 'https://ping.example.org/web']]),
      },
    ]);
  });

  it("are refused with a token itself, which isn't repeated, and with how to make a hash", () => {
    for (const token of ['kgw_secret', 'f'.repeat(64), 'sha256:kgw_secret', { sha256: 'kgw_secret' }]) {
      const [problem = '', ...more] = of({ web: { tokens: [token] } });
      expect(more).to.deep.equal([]);
      expect(problem)
        .to.match(/^principals\.web\.tokens\[0\](\.sha256)?: .*token create/)
        .and.not.include('secret');
    }
  });

  it('need a way to log in that no other principal has', () => {
    expect(of({ web: { access: { a: 'append' } } }).join()).to.match(/^principals\.web: has no way to log in/);
    expect(of({ web: { access: { a: 'append' } } }, { htpasswd: 'f' })).to.deep.equal([]);
    expect(of({ web: { tokens: [hash('1')] }, db: { tokens: [{ sha256: hash('1') }] } })).to.deep.equal([
      'principals.db.tokens[0]: web has the same token: each principal needs its own',
    ]);
    expect(of({ web: { tokens: [hash('1'), hash('1')] } })).to.deep.equal([
      'principals.web.tokens[1]: is listed twice',
    ]);
    const trusted = { cert: 'c', key: 'k', 'client-ca': 'ca' };
    expect(of({ web: { certificates: ['cn:x'] }, db: { certificates: ['cn:x'] } }, trusted)).to.have.length(1);
    expect(of({ web: { certificates: ['cn:x'] } }).join()).to.match(/certificates: .*set client-ca/);
    expect(of({ web: { certificates: ['web-1'] } }, trusted)).to.have.length(1);
  });

  it("can't refer to a store or listener that doesn't exist", () => {
    const web = { tokens: [hash('1')] };
    expect(of({ web: { ...web, access: { '': 'append' } } })).to.deep.equal([
      'principals.web.access."": unknown store: only a exists',
    ]);
    expect(of({ web: { ...web, access: { '': 'append', a: 'full', '*': 'none' } } }, { location: '/x' })).to.deep.equal(
      [],
    );
    expect(of({ web: { ...web, listeners: ['localhost:9877'] } })).to.deep.equal([
      'principals.web.listeners[0]: unknown listener: did you mean localhost:9876?',
    ]);
    expect(of({ web: { ...web, listeners: [] } })).to.have.length(1);
    const page = { 'admin-listen': { name: 'page', address: 'localhost:1' } };
    expect(of({ web: { ...web, listeners: ['page'] } }, page)).to.have.length(1);
    expect(of({ web: { ...web, admin: true, listeners: ['page'] } }, page)).to.deep.equal([]);
  });

  it('can only be expected to back up, and have pings, where they can write', () => {
    const web = { tokens: [hash('1')], access: { a: 'read-only', '*': 'append' }, 'expect-backup': { a: '3s' } };
    const refused = /^principals\.web\.expect-backup\.a: web can't back up there: it needs append access/;
    expect(of({ web }).join()).to.match(refused);
    expect(of({ web: { ...web, access: { a: 'append' } } })).to.deep.equal([]);
    expect(of({ web: { ...web, access: { '*': 'write-only' } } })).to.deep.equal([]);
    const open = { stores: { a: { location: '/a', anonymous: 'append' } } };
    expect(of({ web: { ...web, access: {} } }, open)).to.deep.equal([]);
    const { access, ...rest } = { ...web, access: { a: 'append' } };
    const listen = [{ name: 'readers', address: 'localhost:1', 'max-access': 'read-only' }, 'localhost:2'];
    expect(of({ web: { ...rest, access } }, { listen })).to.deep.equal([]);
    expect(of({ web: { ...rest, access, listeners: ['readers'] } }, { listen }).join()).to.match(refused);
    expect(of({ web: { ...rest, access: { a: 'apend' } } }), 'an invalid level is one problem').to.have.length(1);
    expect(of({ web: { ...rest, 'expect-backup': {}, access: {}, ping: { a: 'http://localhost/x' } } })).to.have.length(
      1,
    );
    for (const store of ['*', 'b', '']) {
      expect(of({ web: { ...web, 'expect-backup': { [store]: '1d' } } }).join(), store).to.include('unknown store');
    }
    for (const time of ['0.5s', '401d', 'daily', 0]) {
      expect(of({ web: { ...rest, access, 'expect-backup': { a: time } } }), String(time)).to.have.length(1);
    }
    expect(of({ web: { ...rest, access, 'expect-backup': { a: '401d' } } }).join()).to.include(
      'must be from 1s to 400d',
    );
  });

  it("have pings that are URLs of the web, of which problems don't repeat anything", () => {
    for (const url of ['ftp://x/secret', 'secret', 'https://', 'https://user:secret@x/', 5]) {
      const problems = of({ web: { tokens: [hash('1')], access: { a: 'append' }, ping: { a: url } } });
      expect(problems, String(url)).to.have.length(1);
      expect(problems.join())
        .to.match(/^principals\.web\.ping\.a: /)
        .and.not.include('secret');
    }
  });

  it('have other tokens than the status page', () => {
    expect(configOf({ 'admin-token': hash('A') }).adminToken).to.equal('a'.repeat(64));
    expect(of({ web: { tokens: [hash('1')] } }, { 'admin-token': hash('1') })).to.deep.equal([
      'principals.web.tokens[0]: admin-token has the same token: each principal needs its own',
    ]);
    expect(problemsOf({ 'admin-token': 'kgw_secret' }).join())
      .to.match(/^admin-token: .*token create/)
      .and.not.include('secret');
  });

  it('have names that logs and htpasswd files can hold', () => {
    for (const name of ['anonymous', 'a:b', 'a b', '', 'a\nb', 'x'.repeat(201)]) {
      expect(of({ [name]: { tokens: [hash('1')] } }), name).to.have.length(1);
    }
    expect(of({ 'ops@example.org': { tokens: [hash('1')] } })).to.deep.equal([]);
  });

  it('have tokens that expire on real days', () => {
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
