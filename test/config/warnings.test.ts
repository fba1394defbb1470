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

  it('are none where nothing is open that could be meant to be closed', () => {
    expect(warningsOf({})).to.equal('');
    expect(warningsOf({ 'allow-delete': true })).to.equal('');
    expect(warningsOf({ listen: ':1', principals: { web }, ...tls })).to.equal('');
    expect(warningsOf({ listen: { address: ':1', 'max-access': 'none' } })).to.equal('');
  });

  it('tell what whoever reaches an address may do without logging in', () => {
    expect(warningsOf({ listen: ':1' })).to.equal(
      'whoever reaches :1 may read the default store: nobody has to log in',
    );
    const stores = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, { location: `/${name}` }]));
    const open = {
      ...stores,
      e: { location: '/e', anonymous: 'append' as const },
      f: { location: '/f', anonymous: 'none' as const },
    };
    expect(warningsOf({ listen: ':1', stores: open, 'no-auth': true })).to.equal(
      'whoever reaches :1 may read a, b, c and 1 more, and read and write e: nobody has to log in',
    );
  });

  it('tell where tokens and passwords can be read on the way', () => {
    const clear = 'tokens and passwords that are sent to :1 can be read on the way: it speaks no TLS';
    expect(warningsOf({ listen: ':1', principals: { web } })).to.equal(clear);
    expect(warningsOf({ listen: ':1', htpasswd: 'f' })).to.equal(clear);
    expect(warningsOf({ listen: { address: ':1', tls: false }, principals: { web }, ...tls })).to.equal(clear);
    expect(warningsOf({ listen: 'localhost:1', principals: { web } })).to.equal('');
  });

  it('tell of principals who may do nothing, of two names for one store, of metrics for all, and of idle connections', () => {
    expect(
      warningsOf({ principals: { web, db: { tokens: [`sha256:${'2'.repeat(64)}`], access: { '': 'none' } } } }),
    ).to.match(/^db can log in and has access to nothing/);
    expect(warningsOf({ stores: { a: { location: '/x' }, b: { location: 'fs:///x/' } } })).to.match(
      /^a, b are one store, at \/x/,
    );
    expect(warningsOf({ 'metrics-listen': ':1' })).to.match(/^whoever reaches :1 may read the metrics/);
    expect(warningsOf({ 'idle-timeout': '90s' })).to.match(/^idle-timeout is 90s/);
  });
});
