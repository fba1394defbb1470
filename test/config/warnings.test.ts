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

  it('tell where tokens and passwords are sent in the clear', () => {
    const clear = ":1 doesn't use TLS: tokens and passwords sent there can be read by others on the network";
    expect(warningsOf({ listen: ':1', principals: { web } })).to.equal(clear);
    expect(warningsOf({ listen: ':1', htpasswd: 'f' })).to.equal(clear);
    expect(warningsOf({ listen: { address: ':1', tls: false }, principals: { web }, ...tls })).to.equal(clear);
    expect(warningsOf({ listen: 'localhost:1', principals: { web } })).to.equal('');
  });

  it('tell of principals without access, two names for one store, public metrics, and a short idle timeout', () => {
    expect(
      warningsOf({ principals: { web, db: { tokens: [`sha256:${'2'.repeat(64)}`], access: { '': 'none' } } } }),
    ).to.match(/^db can log in but has no access to any store/);
    expect(warningsOf({ stores: { a: { location: '/x' }, b: { location: 'fs:///x/' } } })).to.match(
      /^a, b are the same store, \/x/,
    );
    expect(warningsOf({ 'metrics-listen': ':1' })).to.match(/^anyone who can reach :1 may read the metrics/);
    expect(warningsOf({ 'idle-timeout': '90s' })).to.match(/^idle-timeout is 90s/);
  });
});
