import { expect } from 'chai';
import fc from 'fast-check';
import { formatLocation, parseLocation } from '../../src/backends/backends.js';

const surroundings = { home: '/home/op', cwd: '/srv' };

describe('a location', () => {
  it('is a path, relative to the working folder, or fs:// with an absolute one', () => {
    expect(parseLocation('backups', surroundings)).to.deep.equal({ scheme: 'fs', path: '/srv/backups' });
    expect(parseLocation('/var/../x/', surroundings)).to.deep.equal({ scheme: 'fs', path: '/x' });
    expect(parseLocation('fs:///var/b', surroundings)).to.deep.equal({ scheme: 'fs', path: '/var/b' });
    expect(parseLocation('fs:/var/b', surroundings)).to.deep.equal({ scheme: 'fs', path: '/var/b' });
  });

  it("is plakar's default where none is given: $PLAKAR_REPOSITORY, or ~/.plakar", () => {
    expect(parseLocation(undefined, surroundings)).to.deep.equal({ scheme: 'fs', path: '/home/op/.plakar' });
    const repository = 'fs:/var/b';
    expect(parseLocation(undefined, { ...surroundings, repository })).to.deep.equal({ scheme: 'fs', path: '/var/b' });
    expect(parseLocation('/x', { ...surroundings, repository })).to.deep.equal({ scheme: 'fs', path: '/x' });
  });

  it("is no name of plakar's configuration", () => {
    expect(parseLocation('@blue', surroundings))
      .to.have.property('problem')
      .that.includes("plakar's configuration, which the gateway doesn't read");
    expect(parseLocation('./@blue', surroundings)).to.deep.equal({ scheme: 'fs', path: '/srv/@blue' });
  });

  it('starts at the home folder with ~/, as variables and files have it', () => {
    expect(parseLocation('~/backups', surroundings)).to.deep.equal({ scheme: 'fs', path: '/home/op/backups' });
    expect(parseLocation('~other', surroundings)).to.deep.equal({ scheme: 'fs', path: '/srv/~other' });
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

describe('a location in S3', () => {
  const place = { scheme: 's3', endpoint: 's3.example.org', bucket: 'backups', prefix: '' };

  it('is an endpoint, perhaps with a port, and a bucket, perhaps with a prefix', () => {
    const cases = {
      's3://s3.example.org/backups': {},
      'S3://S3.Example.ORG/backups/': {},
      's3://s3.example.org:9000/backups': { endpoint: 's3.example.org:9000' },
      's3://127.0.0.1:9000/backups': { endpoint: '127.0.0.1:9000' },
      's3://[::1]/backups': { endpoint: '[::1]' },
      's3://[2001:DB8::1]:9000/backups/a': { endpoint: '[2001:db8::1]:9000', prefix: 'a' },
      's3://my_minio:9000/My.Backups-2_x': { endpoint: 'my_minio:9000', bucket: 'My.Backups-2_x' },
      's3://s3.example.org/backups/a': { prefix: 'a' },
      's3://s3.example.org/backups/teams/blue/': { prefix: 'teams/blue' },
      's3://s3.example.org/backups/a@b:c': { prefix: 'a@b:c' },
    };
    for (const [text, parts] of Object.entries(cases)) {
      expect(parseLocation(text, surroundings), text).to.deep.equal({ ...place, ...parts });
    }
  });

  it('has a prefix that may be percent-encoded', () => {
    const cases = { 'a%20b%2Fc': 'a b/c', '%C3%BC': 'ü', ü: 'ü', '100%25': '100%', 'a%3Fb%23c': 'a?b#c', 'a+b': 'a+b' };
    for (const [written, prefix] of Object.entries(cases)) {
      expect(parseLocation(`s3://s3.example.org/backups/${written}`, surroundings), written).to.deep.equal({
        ...place,
        prefix,
      });
    }
  });

  it('is refused where clients and services could understand different places', () => {
    for (const text of [
      's3://',
      's3:///backups',
      's3://s3.example.org',
      's3://s3.example.org/',
      's3://s3.example.org//a',
      's3://s3.example.org/a%20b',
      's3://s3.example.org/ab',
      's3://s3.example.org/-ab',
      's3://s3.example.org:0/backups',
      's3://s3.example.org:65536/backups',
      's3://s3.example.org:/backups',
      's3://-x/backups',
      's3://a b/backups',
      's3://[::x]/backups',
      's3://[fe80::1%25eth0]/backups',
      's3://::1/backups',
      's3://s3.example.org/backups//',
      's3://s3.example.org/backups//a',
      's3://s3.example.org/backups/a//b',
      's3://s3.example.org/backups/a/../b',
      's3://s3.example.org/backups/%2e%2E',
      's3://s3.example.org/backups/./a',
      's3://s3.example.org/backups/a%00b',
      's3://s3.example.org/backups/a%0Ab',
      's3://s3.example.org/backups/%',
      's3://s3.example.org/backups/%FF',
      's3://s3.example.org/backups/\ud800',
      `s3://s3.example.org/backups/${'a'.repeat(901)}`,
      's3://s3.example.org/backups?versionId=1',
      's3://s3.example.org/backups/a#b',
    ]) {
      expect(parseLocation(text, surroundings), text).to.have.property('problem').that.includes('invalid S3 location');
    }
  });

  it('has no credentials, and the problem does not repeat them', () => {
    for (const [text, what] of [
      ['s3://AKIAKEY:topsecret@s3.example.org/backups', 'AWS_ACCESS_KEY_ID'],
      ['s3://AKIAKEY@s3.example.org/backups', 'AWS_ACCESS_KEY_ID'],
      ['s3://AKIAKEY:top/secret@s3.example.org/backups', 'port'],
    ] as const) {
      expect(parseLocation(text, surroundings), text)
        .to.have.property('problem')
        .that.includes(what)
        .and.does.not.match(/AKIAKEY|secret/);
    }
  });

  it('is the same after it was written and read', () => {
    const prefix = fc
      .array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 3 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(prefix, (written) => {
        const parsed = parseLocation(`s3://s3.example.org/backups/${encodeURIComponent(written)}`, surroundings);
        if ('problem' in parsed) return;
        expect(parseLocation(formatLocation(parsed), surroundings)).to.deep.equal(parsed);
      }),
    );
  });
});

describe('the location of another gateway', () => {
  it('is an address, with a port or the usual one, and perhaps the name of a store', () => {
    for (const scheme of ['grpc', 'grpcs'] as const) {
      const cases = {
        [`${scheme}://hub`]: { address: 'hub:9878', store: '' },
        [`${scheme}://hub:1234/`]: { address: 'hub:1234', store: '' },
        [`${scheme}://hub:1234/blue`]: { address: 'hub:1234', store: 'blue' },
        [`${scheme}://[::1]:1234/blue/`]: { address: '[::1]:1234', store: 'blue' },
        [`${scheme}://hub/teams/blue`]: { address: 'hub:9878', store: 'teams/blue' },
        [`${scheme}://[::1]/blue`]: { address: '[::1]:9878', store: 'blue' },
        [`${scheme}://hub/teams/blue@3d`]: { address: 'hub:9878', store: 'teams/blue@3d' },
        [`${scheme}://hub:1/@2026-11-01T00:00+01:00/`]: { address: 'hub:1', store: '@2026-11-01T00:00+01:00' },
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
      'grpc://hub/a//b',
      'grpc://hub/../b',
      'grpc://hub/..%2f',
      'grpc://hub/blue@',
      'grpc://hub/blue@soon',
      'grpc://hub/blue@3d/x',
      'grpc://hub@3d',
      'grpc://hub:x/',
      'grpc://systemd',
    ]) {
      expect(parseLocation(text, surroundings), text)
        .to.have.property('problem')
        .that.is.a('string')
        .and.does.not.include('secret');
    }
  });
});
