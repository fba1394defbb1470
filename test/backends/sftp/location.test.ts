import { expect } from 'chai';
import fc from 'fast-check';
import { formatSftpLocation, parseSftpLocation, type SftpLocation } from '../../../src/backends/sftp/location.js';
import { StoreError } from '../../../src/core/errors.js';

const label = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,20}$/);
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
  fc.ipV6(),
  fc.ipV4(),
);
const user = fc.stringMatching(/^[A-Za-z0-9_.@+/%é][A-Za-z0-9_.@+/%é-]{0,20}$/);
const segment = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[\p{Cc}\p{Cs}/]/u.test(text));
const path = fc
  .tuple(fc.boolean(), fc.array(segment, { minLength: 1, maxLength: 5 }))
  .map(([absolute, segments]) => `${absolute ? '/' : ''}${segments.join('/')}`);

const location: fc.Arbitrary<SftpLocation> = fc
  .record({
    host,
    path,
    user: fc.option(user, { nil: undefined }),
    port: fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }),
  })
  .map(({ host, path, user, port }) => ({
    scheme: 'sftp',
    host,
    path,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
  }));

describe('an SFTP location', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(location, (original) => {
        expect(parseSftpLocation(formatSftpLocation(original))).to.deep.equal(original);
      }),
    );
  });

  it('never gives a name that ssh or a shell takes for something else, whatever the text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.string(), fc.string()).map(([a, b]) => `sftp://${a}@${b}/x`),
    );
    fc.assert(
      fc.property(text, (anything) => {
        let parsed: SftpLocation;
        try {
          parsed = parseSftpLocation(anything);
        } catch (error) {
          expect(error).to.be.instanceOf(StoreError).with.property('code', 'invalid_argument');
          return;
        }
        expect(parsed.host).to.match(/^[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*$/);
        if (parsed.user !== undefined) expect(parsed.user).to.match(/^[^-\s$`'"\\;&<>|(){}][^\s$`'"\\;&<>|(){}]*$/);
        expect(parsed.path).not.to.equal('');
      }),
      { numRuns: 1000 },
    );
  });

  const read: Record<string, Omit<SftpLocation, 'scheme'>> = {
    'sftp://nas/srv/kloset': { host: 'nas', path: '/srv/kloset' },
    'SFTP://backup@nas.example.org:2222/srv/kloset/': {
      user: 'backup',
      host: 'nas.example.org',
      port: 2222,
      path: '/srv/kloset',
    },
    'sftp://[fe80::1%25]:22/x': { host: 'fe80::1%25', port: 22, path: '/x' },
    'sftp://a%40b@nas/my%20store': { user: 'a@b', host: 'nas', path: '/my store' },
    'sftp://nas/~/kloset': { host: 'nas', path: 'kloset' },
    'sftp://nas/~': { host: 'nas', path: '.' },
    'sftp://nas/': { host: 'nas', path: '/' },
    'sftp://nas/%7E/x': { host: 'nas', path: '/~/x' },
  };
  for (const [text, expected] of Object.entries(read)) {
    it(`reads ${text}`, () => {
      expect(parseSftpLocation(text)).to.deep.equal({ scheme: 'sftp', ...expected });
    });
  }

  const refused: Record<string, RegExp> = {
    'sftp://-oProxyCommand=x/srv': /host starts with a dash/,
    'sftp://-l@nas/srv': /user starts with a dash/,
    'sftp://%2Dl@nas/srv': /user starts with a dash/,
    'sftp://a$(id)@nas/srv': /user has characters/,
    'sftp://na$(id)s/srv': /neither a name nor an address/,
    'sftp://backup:secret@nas/srv': /password/,
    'sftp://nas': /no path/,
    'sftp:///srv': /no host/,
    'sftp://nas:0/srv': /port/,
    'sftp://nas:65536/srv': /port/,
    'sftp://nas:ssh/srv': /port/,
    'sftp://nas/%zz': /percent-encoding/,
    'sftp://nas/a%00b': /control characters/,
    'sftp://nas/~/%2Fetc': /neither absolute nor relative/,
    'ssh://nas/srv': /sftp:\/\/\[user@\]host/,
    'nas:/srv': /sftp:\/\/\[user@\]host/,
  };
  for (const [text, message] of Object.entries(refused)) {
    it(`refuses ${text}`, () => {
      expect(() => parseSftpLocation(text))
        .to.throw(StoreError, message)
        .with.property('code', 'invalid_argument');
    });
  }

  it('says nothing of a password in a refusal', () => {
    expect(() => parseSftpLocation('sftp://backup:secret@nas/srv')).to.throw(/^((?!secret).)*$/);
  });
});
