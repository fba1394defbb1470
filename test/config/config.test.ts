import { expect } from 'chai';
import fc from 'fast-check';
import { makeConfig } from '../../src/config/config.js';
import { oldNames, settingNames } from '../../src/config/definition.js';
import { configOf, hash, problemsOf, surroundings } from '../support/config.js';

const mapKeys = [
  ...[
    '__proto__',
    'constructor',
    '',
    '*',
    'a',
    'location',
    'anonymous',
    'tokens',
    'certificates',
    'access',
    'listeners',
  ],
  ...['sha256', 'expires', 'address', 'name', 'mode', 'owner', 'tls', 'max-access'],
  ...['admin', 'expect-backup', 'ping', 'webhook', 'url', 'secret', 'secret-file', 'events'],
  ...['mail', 'server', 'user', 'password', 'password-file', 'from', 'to'],
  ...['s3', 'region', 'ca', 'object-lock', 'storage-class', 'sse-kms-key', 'sse-customer-key-file'],
];

/** Values of all types, in maps with meaningful keys. */
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 1, -0.5, '', 'off', ':1', 'append', '/x', 'cn:x', hash('1'), '0660', '2027-01-01'),
    fc.constantFrom(
      '1s',
      'https://example.org',
      'smtp://mail.example.org',
      'ops@example.org',
      'overdue',
      's3://s3.example.org/backups',
    ),
    fc.array(tie('anything'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...mapKeys), tie('anything'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe('makeConfig', () => {
  it('lets callers read on localhost, and syncs, by default', () => {
    const made = configOf({});
    expect(made).to.deep.include({
      principals: [],
      htpasswd: undefined,
      tls: undefined,
      durable: true,
      noAuth: false,
      v10: { enabled: true, maxDocumentBytes: 96 * 1024 ** 2 },
      drainMs: 30_000,
      auditLog: undefined,
      logLevel: 'info',
      logFormat: undefined,
      stateDir: undefined,
      adminToken: undefined,
      notify: { webhooks: [], mail: undefined, warnFreeBytes: 10 * 1024 ** 3 },
    });
    expect([...made.stores]).to.deep.equal([
      [
        '',
        {
          location: { scheme: 'fs', path: '/home/op/.plakar' },
          anonymous: 'read-only',
          quotaBytes: undefined,
          quotaIncludesTrash: true,
          retentionMs: 0,
          trashMs: 0,
          asOfMs: undefined,
          optional: false,
          digests: undefined,
          s3: undefined,
          mirror: undefined,
          verification: undefined,
        },
      ],
    ]);
    const listener = { maxAccess: 'full', tls: false, mode: undefined, owner: undefined };
    expect(made.listeners).to.deep.equal([
      { ...listener, name: 'localhost:9876', protocol: 'http', address: { host: 'localhost', port: 9876 } },
      { ...listener, name: 'localhost:9878', protocol: 'grpc', address: { host: 'localhost', port: 9878 } },
    ]);
    expect(made.limits).to.deep.equal({
      maxObjectBytes: 4 * 1024 ** 3,
      minFreeBytes: 1024 ** 3,
      maxHeaderBytes: 16 * 1024,
      headerTimeoutMs: 30_000,
      minRate: 1024,
      stallMs: 60_000,
      idleMs: 120_000,
      maxConnections: 20_000,
      maxRequests: 256,
      maxUploads: 128,
      queueMs: 30_000,
      maxStreams: 1000,
      maxResets: 1000,
    });
  });

  it('reports all problems at once, each with its path, including those between valid and invalid settings', () => {
    const all = problemsOf({
      listen: [':1', { adress: ':2', mode: 660 }],
      stores: { a: { location: '/a', qouta: 1 }, b: {}, 'c/../d': { location: '/c' } },
      principals: { web: { access: { A: 'append' }, tokens: [hash('1')] }, db: { access: { a: 'reed' } } },
      cert: 'x',
      durability: 'maybe',
      'max-uploads': 0,
      allow_write: true,
      x: null,
    });
    const paths = all.map((each) => each.slice(0, each.indexOf(': ')));
    expect(paths).to.have.members([
      'listen[1]',
      'listen[1].adress',
      'listen[1].mode',
      'stores.a.qouta',
      'stores.b',
      'stores."c/../d"',
      'principals.web.access.A',
      'principals.db',
      'principals.db.access.a',
      'cert',
      'durability',
      'max-uploads',
      'allow_write',
      'x',
    ]);
    expect(all).to.include.members([
      'listen[1]: address is missing',
      'listen[1].adress: unknown setting: did you mean address?',
      'stores.a.qouta: unknown setting: did you mean quota?',
      'allow_write: unknown setting: did you mean allow-write?',
      'x: unknown setting',
    ]);
  });

  it('returns a configuration or problems for any input, and never fails', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...settingNames, ...Object.keys(oldNames)), anything), { maxLength: 6 }),
        (entries) => {
          const made = makeConfig(Object.fromEntries(entries) as object, surroundings);
          expect('config' in made || made.problems.length > 0).to.equal(true);
        },
      ),
      { numRuns: 1000 },
    );
    expect(problemsOf({ stores: [] })).to.deep.equal(['stores: must be a map: names with their values']);
    expect(problemsOf({ stores: { a: { location: 5 } } })).to.have.length(1);
    expect(problemsOf({ cert: 5, key: 'k' })).to.deep.equal([
      'cert: must be text: put it in quotes if it looks like a number',
    ]);
  });

  it('understands sizes and times with units, and without', () => {
    const quota = (value: string | number): unknown =>
      configOf({ location: '/x', quota: value }).stores.get('')?.quotaBytes;
    const drain = (value: string | number): unknown => configOf({ 'drain-timeout': value }).drainMs;
    expect([1, '1', '512KiB', '1.5 MiB', '2TiB', '10GB', '7B'].map(quota)).to.deep.equal([
      1,
      1,
      512 * 1024,
      1.5 * 1024 ** 2,
      2 * 1024 ** 4,
      10 * 1000 ** 3,
      7,
    ]);
    expect([5, '5', '0.25', '250ms', '30s', '5m', '1h', '2 d'].map(drain)).to.deep.equal([
      5000, 5000, 250, 250, 30_000, 300_000, 3_600_000, 172_800_000,
    ]);
    for (const wrong of [-1, 1.5, '', 'x', '1PiB', '1kib', 'KiB', '1e9', '0']) {
      expect(problemsOf({ quota: wrong }), String(wrong)).to.have.length(1);
    }
    for (const wrong of [-1, '', 'x', '1y', '1m30s', '25d', '-5s']) {
      expect(problemsOf({ 'drain-timeout': wrong }), String(wrong)).to.have.length(1);
    }
  });

  it("accepts the limit of plakar 1.0's documents in MiB, or with a unit", () => {
    const limit = (value: string | number): number => configOf({ 'http-v1.0-limit': value }).v10.maxDocumentBytes;
    expect([limit(5), limit('5'), limit('64MiB')]).to.deep.equal([5 * 1024 ** 2, 5 * 1024 ** 2, 64 * 1024 ** 2]);
    expect(problemsOf({ 'http-v1.0-limit': '10000' })).to.have.length(1);
    expect(problemsOf({ 'http-v1.0-limit': '512KiB' })).to.have.length(1);
  });
});
