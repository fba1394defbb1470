import { expect } from 'chai';
import type { Settings } from '../../../src/config/config.js';
import type { StoreConfig } from '../../../src/config/types.js';
import { configOf, problemsOf } from '../../support/config.js';

type StoreSettings = NonNullable<Settings['stores']>[string];

const hourMs = 3_600_000;

const settings = (store: Partial<StoreSettings>): Settings => ({
  stores: { blue: { location: '/srv/blue', ...store } },
});
const configured = (store: Partial<StoreSettings>): StoreConfig | undefined =>
  configOf(settings(store)).stores.get('blue');
const problems = (store: object): string[] => problemsOf(settings(store));

describe('the settings for a second copy of a store', () => {
  it('are the place that is written or read, compared every hour, and told after two', () => {
    const defaults = {
      everyMs: hourMs,
      lagMs: 2 * hourMs,
      bytesPerSecond: undefined,
      readFallback: false,
      tokenFile: undefined,
      s3: undefined,
    };
    expect(configured({})?.mirror).to.equal(undefined);
    expect(configured({ mirror: { to: '~/mirror' } })?.mirror).to.deep.equal({
      direction: 'to',
      location: { scheme: 'fs', path: '/home/op/mirror' },
      ...defaults,
    });
    const from = { from: 'grpcs://elsewhere/blue', 'token-file': 'mirror.token', rate: '20MiB', every: '5m' };
    expect(configured({ mirror: { ...from, 'read-fallback': true } })?.mirror).to.deep.equal({
      ...defaults,
      direction: 'from',
      location: { scheme: 'grpcs', address: 'elsewhere:9878', store: 'blue' },
      everyMs: 5 * 60_000,
      bytesPerSecond: 20 * 1024 ** 2,
      readFallback: true,
      tokenFile: '/srv/mirror.token',
    });
  });

  it('have values of their own for S3, beside those for all stores', () => {
    const mirror = { to: 's3://s3.example.org/mirror', s3: { region: 'eu-2' } };
    expect(configOf({ ...settings({ mirror }), 's3-profile': 'backup' }).stores.get('blue')?.mirror?.s3).to.deep.equal({
      region: 'eu-2',
      profile: 'backup',
      tls: true,
    });
  });

  it('name one other place, that a copy can be at', () => {
    expect(problems({ mirror: {} })).to.deep.equal([
      'stores.blue.mirror: set to, where the second copy is, or from, where the first one is',
    ]);
    expect(problems({ mirror: { to: '/a', from: '/b' } })[0]).to.match(/^stores\.blue\.mirror: .* remove to, or from$/);
    expect(problems({ mirror: { to: 7 } })).to.have.length(1);
    expect(problems({ mirror: { to: 'ftp://a/b' } })[0]).to.match(/^stores\.blue\.mirror\.to: it has to be /);
    expect(problems({ mirror: { from: '/srv/blue' } })[0]).to.match(
      /^stores\.blue\.mirror\.from: this is the store itself/,
    );
    expect(problems({ 'as-of': '2026-01-01', mirror: { to: '/a' } })[0]).to.match(
      /^stores\.blue\.mirror: .* never changes/,
    );
  });

  it('fit together: a token is for a gateway, S3 settings for S3, and the lag longer than the time between two runs', () => {
    expect(problems({ mirror: { to: '/a', 'token-file': 't' } })[0]).to.match(/^stores\.blue\.mirror\.token-file: /);
    expect(problems({ mirror: { to: '/a', s3: { region: 'x' } } })[0]).to.match(/^stores\.blue\.mirror\.s3: /);
    expect(problems({ mirror: { to: '/a', lag: '30m' } })).to.deep.equal([
      'stores.blue.mirror.lag: has to be longer than every, which is 1h: between two runs the second copy is not known to be complete',
    ]);
  });
});

describe('the settings for reading and checking every object of a store', () => {
  it('are a pass every 30 days, slowly, and against the mirror', () => {
    expect(configured({})?.verification).to.equal(undefined);
    expect(configured({ verify: {} })?.verification).to.deep.equal({
      everyMs: 30 * 24 * hourMs,
      bytesPerSecond: 20 * 1024 ** 2,
      againstMirror: true,
    });
    expect(configured({ verify: { every: '7d', rate: '1MiB', 'against-mirror': false } })?.verification).to.deep.equal({
      everyMs: 7 * 24 * hourMs,
      bytesPerSecond: 1024 ** 2,
      againstMirror: false,
    });
  });

  it('are for stores that are served as they are', () => {
    expect(problems({ 'as-of': '2026-01-01', verify: {} })[0]).to.match(/^stores\.blue\.verify: /);
  });
});
