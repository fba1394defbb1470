import { expect } from 'chai';
import { makeConfig, type Settings } from '../../src/config/config.js';
import { warnings } from '../../src/config/warnings.js';

const tokens = [`sha256:${'1'.repeat(64)}`];

function warningsOf(settings: Settings): string {
  const made = makeConfig(settings, { home: '/home/op', cwd: '/srv' });
  if ('problems' in made) throw new Error(made.problems.join('; '));
  return warnings(made.config).join('\n');
}

describe('warnings', () => {
  const web = { tokens, access: { '*': 'append' as const } };
  const tls = { cert: 'c', key: 'k' };

  it('are absent if nothing is open that may be unintended', () => {
    expect(warningsOf({})).to.equal('');
    expect(warningsOf({ 'allow-delete': true })).to.equal('');
    expect(warningsOf({ listen: ':1', principals: { web }, ...tls })).to.equal('');
    expect(warningsOf({ listen: { address: ':1', 'max-access': 'none' } })).to.equal('');
  });

  it('tell what anonymous callers may do on an address', () => {
    expect(warningsOf({ listen: ':1' })).to.equal(
      'anyone who can reach :1 may read the default store without logging in',
    );
    const stores = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, { location: `/${name}` }]));
    const open = {
      ...stores,
      e: { location: '/e', anonymous: 'append' as const },
      f: { location: '/f', anonymous: 'none' as const },
    };
    expect(warningsOf({ listen: ':1', stores: open, 'no-auth': true })).to.equal(
      'anyone who can reach :1 may read a, b, c and 1 more, and read and write e without logging in',
    );
  });

  it('tell that the verification of a store is not kept over a restart without a state folder', () => {
    const stores = { blue: { location: '/blue', verify: {} }, red: { location: '/red' } };
    expect(warningsOf({ stores })).to.equal(
      'at a restart, the verification of blue begins anew with the first object: set state-dir',
    );
    expect(warningsOf({ stores, 'state-dir': '/var/lib/gateway' })).to.equal('');
  });

  it('tell of a token for a mirror that is sent in the clear to another machine', () => {
    const mirrored = (to: string, more = {}): string =>
      warningsOf({ stores: { blue: { location: '/blue', mirror: { to, 'token-file': 't', ...more } } } });
    expect(mirrored('grpc://10.0.0.2/blue')).to.equal(
      'the token for the mirror at grpc://10.0.0.2:9878/blue is sent in the clear: write grpcs://',
    );
    for (const to of ['grpcs://10.0.0.2/blue', 'grpc://localhost/blue', 'grpc://127.0.0.1:1/blue', 'grpc://[::1]/blue'])
      expect(mirrored(to), to).to.equal('');
    expect(mirrored('grpc://10.0.0.2/blue', { 'token-file': undefined })).to.equal('');
  });

  it('tell of second copies that others write to: anonymous callers, or the mirror of another store', () => {
    const second = (anonymous: 'append' | 'read-only') => ({ location: '/2', anonymous, mirror: { from: '/1' } });
    expect(warningsOf({ stores: { blue: second('append') } })).to.match(
      /^everyone may write to blue, which is a second copy: /,
    );
    expect(warningsOf({ stores: { blue: second('read-only') } })).to.equal('');
    const first = (location: string) => ({ location, mirror: { to: '/2' } });
    expect(warningsOf({ stores: { blue: first('/1'), red: first('/3') } })).to.equal(
      'blue, red are mirrored to the same place, /2: each needs a copy of its own',
    );
  });

  it('tell where tokens and passwords are sent in the clear', () => {
    const clear = ":1 doesn't use TLS: tokens and passwords sent there can be read by others on the network";
    expect(warningsOf({ listen: ':1', principals: { web } })).to.equal(clear);
    expect(warningsOf({ listen: ':1', htpasswd: 'f' })).to.equal(clear);
    expect(warningsOf({ listen: { address: ':1', tls: false }, principals: { web }, ...tls })).to.equal(clear);
    expect(warningsOf({ listen: 'localhost:1', principals: { web } })).to.equal('');
  });

  it('tell of times to keep objects that are probably meant in days', () => {
    expect(warningsOf({ location: '/x', retention: 30, trash: '14d' })).to.equal(
      'retention of the default store is only 30s: days are written as in 30d',
    );
  });

  it('tell of principals without access, two names for one store, and a short idle timeout', () => {
    expect(
      warningsOf({ principals: { web, db: { tokens: [`sha256:${'2'.repeat(64)}`], access: { '': 'none' } } } }),
    ).to.match(/^db can log in but has no access to any store/);
    expect(warningsOf({ stores: { a: { location: '/x' }, b: { location: 'fs:///x/' } } })).to.match(
      /^a, b are the same store, \/x/,
    );
    expect(warningsOf({ 'idle-timeout': '90s' })).to.match(/^idle-timeout is 90s/);
  });

  it('tell what an admin listener shows other machines, and where its logins are sent in the clear', () => {
    const listen = { 'admin-listen': ':1' };
    const clear = /^:1 doesn't use TLS[^\n]*$/;
    expect(warningsOf(listen)).to.match(
      /^anyone who can reach :1 may read the metrics.*the status page is refused there/,
    );
    expect(warningsOf({ ...listen, principals: { web } })).to.match(/^anyone who can reach :1/);
    expect(warningsOf({ ...listen, 'admin-token': tokens[0] })).to.match(clear);
    expect(warningsOf({ ...listen, principals: { ops: { tokens, admin: true } } })).to.match(clear);
    expect(warningsOf({ 'admin-listen': { address: ':1', tls: true }, ...tls, 'admin-token': tokens[0] })).to.equal('');
    expect(warningsOf({ 'admin-listen': 'localhost:1' })).to.equal('');
    const ops = { tokens, admin: true, listeners: ['localhost:9876'] };
    expect(warningsOf({ 'admin-listen': 'localhost:1', principals: { ops } })).to.match(/^ops is an admin, but/);
  });

  it('tell of expected backups that nobody is told of, and of what a restart forgets', () => {
    const watched = { principals: { web: { ...web, 'expect-backup': { '': '26h' } } } };
    const notify = { webhook: { url: 'http://localhost/' } };
    const forgotten = /^at a restart, .* are forgotten: set state-dir$/;
    expect(warningsOf({ ...watched, 'state-dir': '/s' })).to.match(/^backups of web are expected, but only the log/);
    expect(warningsOf({ ...watched, 'state-dir': '/s', notify })).to.equal('');
    expect(warningsOf({ ...watched, 'state-dir': '/s', 'admin-listen': 'localhost:1' })).to.equal('');
    expect(warningsOf({ ...watched, notify })).to.match(forgotten);
    expect(warningsOf({ notify })).to.match(forgotten);
    expect(warningsOf({ notify: { 'warn-free-space': '1GiB' } })).to.equal('');
  });

  it("tell of a mail server's password that may be sent in the clear", () => {
    const mailed = (server: string): string => {
      const mail = { server, user: 'gateway', password: 'x', from: 'gateway@example.org', to: 'ops@example.org' };
      return warningsOf({ notify: { mail }, 'state-dir': '/s' });
    };
    expect(mailed('smtp://mail.example.org')).to.match(/^the password for mail\.example\.org is sent in the clear if/);
    for (const server of ['smtps://mail.example.org', 'smtp+starttls://mail.example.org', 'smtp://[::1]:25']) {
      expect(mailed(server), server).to.equal('');
    }
  });
});
