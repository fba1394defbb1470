import { expect } from 'chai';
import type { S3Settings } from '../../../src/backends/s3/options.js';
import type { Settings } from '../../../src/config/config.js';
import { configOf, problemsOf } from '../../support/config.js';

const location = 's3://s3.example.org/backups';

function settingsOf(settings: Settings, store = ''): S3Settings | undefined {
  return configOf(settings).stores.get(store)?.s3;
}

describe('the settings for stores in S3', () => {
  it('are TLS and nothing else by default, and none for other stores', () => {
    expect(settingsOf({ location })).to.deep.equal({ tls: true });
    expect(settingsOf({ location: '/x', 's3-region': 'eu-1', 's3-object-lock': 'governance' })).to.equal(undefined);
    expect(settingsOf({ sample: true, 's3-region': 'eu-1' })).to.equal(undefined);
  });

  it('are taken as given, with absolute paths', () => {
    const all = {
      's3-region': 'eu-1',
      's3-path-style': false,
      's3-tls': false,
      's3-ca': 'ca.pem',
      's3-profile': 'backup',
      's3-credentials-file': '~/keys',
      's3-storage-class': 'STANDARD_IA',
      's3-sse-kms-key': 'alias/backup',
      's3-object-lock': 'compliance' as const,
    };
    expect(settingsOf({ location, retention: '30d', ...all })).to.deep.equal({
      region: 'eu-1',
      pathStyle: false,
      tls: false,
      ca: '/srv/ca.pem',
      profile: 'backup',
      credentialsFile: '/home/op/keys',
      storageClass: 'STANDARD_IA',
      sseKmsKey: 'alias/backup',
      objectLock: 'compliance',
    });
    expect(settingsOf({ location, 's3-path-style': 'true' })?.pathStyle).to.equal(true);
    expect(settingsOf({ location, 's3-sse-customer-key-file': 'k' })?.sseCustomerKeyFile).to.equal('/srv/k');
  });

  it('are overridden by those of one store', () => {
    const stores = {
      blue: { location, s3: { region: 'eu-2', ca: 'blue.pem', tls: true, 'object-lock': 'off' } },
      green: { location, retention: '1d' },
      red: { location, s3: { 'sse-customer-key-file': '~/key', tls: true, 'object-lock': 'off' } },
    };
    const settings: Settings = {
      stores,
      's3-region': 'eu-1',
      's3-tls': false,
      's3-sse-kms-key': 'a',
      's3-object-lock': 'governance',
    };
    expect(settingsOf(settings, 'blue')).to.deep.equal({
      region: 'eu-2',
      tls: true,
      ca: '/srv/blue.pem',
      sseKmsKey: 'a',
    });
    expect(settingsOf(settings, 'green')).to.deep.equal({
      region: 'eu-1',
      tls: false,
      sseKmsKey: 'a',
      objectLock: 'governance',
    });
    expect(settingsOf(settings, 'red'), 'one kind of encryption replaces the other').to.deep.equal({
      region: 'eu-1',
      tls: true,
      sseCustomerKeyFile: '/home/op/key',
    });
  });

  it('are refused for a store that is not in S3', () => {
    expect(problemsOf({ stores: { a: { location: '/a', s3: { region: 'eu-1' } } } })).to.deep.equal([
      'stores.a.s3: this store is not in S3: remove this, or set its location to s3://…',
    ]);
  });

  it('are refused where their values are no such thing, or unknown', () => {
    const cases: [Settings | object, RegExp][] = [
      [{ 's3-storage-class': 'standard ia' }, /^s3-storage-class: must be the name of a storage class/],
      [{ 's3-storage-class': 'DEEP_ARCHIVE' }, /^s3-storage-class: objects of this class have to be restored/],
      [{ 's3-object-lock': 'legal' }, /^s3-object-lock: must be one of governance, compliance, off/],
      [{ 's3-tls': 'no' }, /^s3-tls: must be true or false/],
      [{ 's3-regoin': 'x' }, /^s3-regoin: unknown setting: did you mean s3-region\?/],
      [{ stores: { a: { location, s3: { regoin: 'x' } } } }, /^stores\.a\.s3\.regoin: unknown .* region\?/],
      [{ stores: { a: { location, s3: { 'storage-class': 'GLACIER' } } } }, /^stores\.a\.s3\.storage-class: objects/],
    ];
    for (const [settings, problem] of cases) {
      expect(problemsOf({ ...('stores' in settings ? {} : { location }), ...settings }).join('\n')).to.match(problem);
    }
  });

  it('name one way of encryption, and a customer key only where it is sent in TLS', () => {
    const both = { 's3-sse-kms-key': 'a', 's3-sse-customer-key-file': 'k' };
    expect(problemsOf({ location, ...both })).to.deep.equal([
      's3-sse-customer-key-file: there is a KMS key as well: objects are encrypted with one of them',
    ]);
    const s3 = { tls: false, 'sse-customer-key-file': 'k' };
    expect(problemsOf({ stores: { a: { location, s3 } } })).to.deep.equal([
      'stores.a.s3.sse-customer-key-file: the key is sent with every request, so it needs TLS',
    ]);
  });

  it('lock objects only in a store with a retention', () => {
    expect(problemsOf({ location, 's3-object-lock': 'governance' })).to.deep.equal([
      's3-object-lock: objects are locked for the retention of the store, and the default store has none: set its retention',
    ]);
    const s3 = { 'object-lock': 'compliance' };
    const stores = { a: { location, s3 }, b: { location, s3, retention: '1d' } };
    expect(problemsOf({ stores }).join()).to.match(
      /^stores\.a\.s3\.object-lock: .* and a has none: set its retention$/,
    );
  });
});
