import { expect } from 'chai';
import fc from 'fast-check';
import { parseLocation } from '../../src/backends/backends.js';

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
