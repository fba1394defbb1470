import { expect } from 'chai';
import fc from 'fast-check';
import { makeConfig, openAddresses, type Config, type Settings } from '../../src/config/config.js';
import { parseLocation } from '../../src/config/location.js';

const surroundings = { home: '/home/op', cwd: '/srv' };

function config(settings: Settings): Config {
  const made = makeConfig(settings, surroundings);
  if ('problems' in made) throw new Error(made.problems.join('; '));
  return made.config;
}

function problems(settings: Settings): string[] {
  const made = makeConfig(settings, surroundings);
  return 'problems' in made ? made.problems : [];
}

describe('makeConfig', () => {
  it('lets callers read on localhost, and syncs, where nothing is said', () => {
    expect(config({})).to.deep.include({
      location: { scheme: 'fs', path: '/home/op/.plakar' },
      http: [{ host: 'localhost', port: 9876 }],
      grpc: [{ host: 'localhost', port: 9877 }],
      access: 'read-only',
      durable: true,
      drainMs: 30_000,
      logLevel: 'info',
      logFormat: undefined,
    });
  });

  it('makes --allow-write append, and --allow-delete full', () => {
    expect(config({ 'allow-write': true }).access).to.equal('append');
    expect(config({ 'allow-delete': true }).access).to.equal('full');
    expect(config({ 'allow-write': false }).access).to.equal('read-only');
  });

  it('serves read-only on addresses that others reach, and tells which these are', () => {
    const open = config({ listen: [':1', 'localhost:2'], 'grpc-listen': ['10.0.0.1:3'] });
    expect(openAddresses(open)).to.deep.equal([
      { host: '', port: 1 },
      { host: '10.0.0.1', port: 3 },
    ]);
  });

  for (const access of ['allow-write', 'allow-delete'] as const) {
    it(`refuses --${access} on each address that others reach, unless it is meant`, () => {
      const settings = { listen: [':1', 'localhost:2', 'unix:/s'], 'grpc-listen': ['0.0.0.0:3'], [access]: true };
      expect(problems(settings)).to.have.length(2);
      expect(problems(settings).join()).to.match(/:1 could write.*--no-auth.*0\.0\.0\.0:3 could write/);
      expect(problems({ ...settings, 'no-auth': true })).to.deep.equal([]);
    });
  }

  it('serves no gRPC where it is off', () => {
    expect(config({ 'grpc-listen': ['off'] }).grpc).to.deep.equal([]);
    expect(problems({ 'grpc-listen': ['off', ':1'] })).to.deep.equal([
      '--grpc-listen off goes with no other --grpc-listen',
    ]);
  });

  it('reports every problem at once', () => {
    const all = problems({
      location: 'ftp://x/y',
      listen: ['nonsense', 'localhost:99999'],
      'grpc-listen': ['x'],
      durability: 'maybe',
      'drain-timeout': 'soon',
      'log-level': 'loud',
      'log-format': 'xml',
    });
    expect(all).to.have.length(8);
  });

  it('refuses a location beside --sample', () => {
    expect(problems({ sample: true, location: '/x' })).to.have.length(1);
    expect(config({ sample: true }).location).to.equal('sample');
  });
});

describe('a location', () => {
  it('is a path, relative to the working folder, or fs:// with an absolute one', () => {
    expect(parseLocation('backups', surroundings)).to.deep.equal({ scheme: 'fs', path: '/srv/backups' });
    expect(parseLocation('/var/../x/', surroundings)).to.deep.equal({ scheme: 'fs', path: '/x' });
    expect(parseLocation('fs:///var/b', surroundings)).to.deep.equal({ scheme: 'fs', path: '/var/b' });
  });

  it('is refused with a sentence where it is anything else', () => {
    for (const text of ['', 'fs://relative', 's3://bucket', 'http://host/x', 'a\0b']) {
      expect(parseLocation(text, surroundings), text).to.have.property('problem').that.is.a('string');
    }
  });

  it('is always an absolute path or a problem', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseLocation(text, surroundings);
        expect('problem' in parsed || ('path' in parsed && parsed.path.startsWith('/'))).to.equal(true);
      }),
    );
  });
});

describe('the location of another gateway', () => {
  it('is an address, with a port or the usual one, and perhaps the name of a store', () => {
    for (const scheme of ['grpc', 'grpcs'] as const) {
      const cases = {
        [`${scheme}://hub`]: { address: 'hub:9877', store: '' },
        [`${scheme}://hub:1234/`]: { address: 'hub:1234', store: '' },
        [`${scheme}://hub:1234/blue`]: { address: 'hub:1234', store: 'blue' },
        [`${scheme}://[::1]:1234/blue/`]: { address: '[::1]:1234', store: 'blue' },
        [`${scheme}://[::1]/blue`]: { address: '[::1]:9877', store: 'blue' },
      };
      for (const [text, parts] of Object.entries(cases)) {
        expect(parseLocation(text, surroundings), text).to.deep.equal({ scheme, ...parts });
      }
    }
  });

  it('is refused without a host, with a user, and with a name that is a path', () => {
    for (const text of [
      'grpc://',
      'grpc:///x',
      'grpc://user:secret@hub/x',
      'grpc://hub/a/b',
      'grpc://hub/..%2f',
      'grpc://hub:x/',
    ]) {
      expect(parseLocation(text, surroundings), text)
        .to.have.property('problem')
        .that.is.a('string')
        .and.does.not.include('secret');
    }
  });
});
