import { expect } from 'chai';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkConfig } from '../../src/cli/check-config.js';
import type { Outcome } from '../../src/cli/outcome.js';
import { makeCertificate } from '../support/certificate.js';
import { host } from '../support/gateway.js';
import { s3Server } from '../support/s3-server.js';
import { tempFolder } from '../support/temp.js';

const configPath = fileURLToPath(new URL('../../examples/config/kloset-gateway.yaml', import.meta.url));
const user = { name: 'operator', home: '/nonexistent', env: {} };
const from = {
  env: {},
  flags: {},
  configPath: undefined,
  surroundings: { home: '/home/op', cwd: '/srv' },
  host,
  user,
};

/** The lines of a summary, with their columns separated by bars. */
const linesOf = (stdout: string): string[] => stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));

async function written(folder: string, text: string): Promise<string> {
  const path = join(folder, 'kloset-gateway.yaml');
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

describe('check-config', () => {
  it('prints the configuration, and where each setting was given, without secrets', async () => {
    const env = { KLOSET_GATEWAY_LOG_LEVEL: 'warn', KLOSET_GATEWAY_TOKEN: 'secret' };
    const { certFile: cert, keyFile: key } = await makeCertificate();
    const flags = { quota: '5GiB', location: '/d', 'drain-timeout': '5m', cert, key, 'client-ca': cert };
    const { exitCode, stdout } = await checkConfig({ ...from, env, flags, configPath });
    expect(exitCode).to.equal(0);
    expect(linesOf(stdout)).to.include.members([
      `OK: ${configPath}`,
      'HTTP | :9876 | name network, TLS, at most append',
      'gRPC | unix:/run/kloset-gateway/admin.sock | name admin, mode 0660, owner :backup',
      'teams/blue | /srv/kloset/blue | anonymous: none, quota 2TiB',
      '(default) | /d | anonymous: none, quota 5GiB',
      'admin | localhost:9464',
      'web-1 | token | teams/blue: append, shared: read-only | through network | expected: teams/blue every 26h',
      'db-1 | cn:db-1 | teams/green: append, shared: read-only | through network | expected: teams/green every 8d',
      'mail | localhost:25 | to ops@example.org | all events',
      'auditor | token until 2099-12-31T23:59:59Z | *: read-only',
      'log-level | warn | environment',
      'drain-timeout | 5m | option',
      `cert | ${cert} | option`,
      'durability | fsync',
    ]);
    expect(stdout).not.to.match(/secret|[0-9a-f]{64}/);
  });

  it('prints how stores are kept whole', async () => {
    const text = `
stores:
  blue: { location: /b, digests: sha256, mirror: { to: 'sftp://nas/b' }, verify: { every: 7d } }
  green: { location: /g, mirror: { from: 'grpcs://first.example.org', every: 10m, rate: 5MiB, read-fallback: true } }
`;
    const { stdout } = await checkConfig({ ...from, configPath: await written(await tempFolder(), text) });
    expect(linesOf(stdout)).to.include.members([
      'blue | /b | anonymous: read-only, digests sha256, mirror to sftp://nas/b every 1h, verified every 7d at 20MiB per second',
      'green | /g | anonymous: read-only, mirror from grpcs://first.example.org:9878 every 10m at 5MiB per second with read-fallback',
    ]);
  });

  it('prints who is told of what, without URLs and secrets', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'mail.pw'), 'secret\n');
    const text = `
state-dir: .
admin-token: sha256:${'1'.repeat(64)}
principals:
  ops: { certificates: ['cn:ops'], admin: true, access: { '': append }, ping: { '': https://ping.example.org/secret } }
notify:
  webhook:
    - { url: https://alerts.example.org/secret, secret: secret, events: [overdue, removal] }
    - { url: http://localhost:5/ }
  mail:
    { server: smtps://mail.example.org, user: u, password-file: mail.pw, from: gateway@example.org, to: ops@example.org }
`;
    const { certFile: cert, keyFile: key } = await makeCertificate();
    const { exitCode, stdout } = await checkConfig({
      ...from,
      configPath: await written(folder, text),
      flags: { cert, key, 'client-ca': cert },
    });
    expect(exitCode).to.equal(0);
    expect(linesOf(stdout)).to.include.members([
      'ops | cn:ops | (default): append | admin; pings: (default)',
      'webhook | alerts.example.org | signed | overdue, removal',
      'webhook | localhost:5 | not signed | all events',
      'mail | mail.example.org:465 | to ops@example.org | all events',
      'admin-token | a hash | file',
    ]);
    expect(stdout).not.to.match(/secret|[0-9a-f]{64}/);
  });

  it("reports secrets' files that can't be read or are empty, and exits 1", async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'empty'), '\nx\n');
    const webhooks = ['empty', 'missing'].map((file) => `{ url: "http://localhost/", secret-file: ${file} }`);
    const configPath = await written(folder, `notify: { webhook: [${webhooks.join()}] }\n`);
    const { exitCode, stderr } = await checkConfig({ ...from, configPath });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`the secret in ${join(folder, 'empty')} is empty`);
    expect(stderr).to.include(`the secret ${join(folder, 'missing')} can't be read: it does not exist`);
  });

  it('reports problems with the files that the settings name, and exits 1', async () => {
    const { certFile } = await makeCertificate();
    const { keyFile } = await makeCertificate();
    const htpasswd = join(await tempFolder(), 'htpasswd');
    await writeFile(htpasswd, 'ann:secret\nbob:secret\n');
    const flags = { cert: certFile, key: keyFile, htpasswd };
    const { exitCode, stdout, stderr } = await checkConfig({ ...from, flags });
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
    expect(stderr)
      .to.include(`${htpasswd}:1: `)
      .and.to.include(`${htpasswd}:2: `)
      .and.to.include(`${keyFile} doesn't belong to`);
  });

  it('prints warnings, and exits 0 all the same', async () => {
    const { exitCode, stdout, stderr } = await checkConfig({ ...from, flags: { listen: [':1'] } });
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^OK: no configuration file\n/);
    expect(stderr).to.equal('warning: anyone who can reach :1 may read the default store without logging in\n');
  });

  it('reports all problems, including those of the command line, and exits 2', async () => {
    const flags = { listen: ['x'], 'log-level': 'loud' };
    const { exitCode, stdout, stderr } = await checkConfig({ ...from, flags }, ['unknown option "--foo"']);
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: '' });
    expect(stderr.trimEnd().split('\n')).to.have.length(3);
    expect(await checkConfig(from, ['unknown option "--foo"'])).to.include({ exitCode: 2, stdout: '' });
  });
});

describe('check-config of a store in S3', () => {
  const server = s3Server();

  async function check(location: string, env: Record<string, string> = {}, flags: Record<string, boolean> = {}) {
    const all = { ...server().env, ...env };
    return checkConfig({
      ...from,
      flags: { location, 's3-tls': false, 'allow-write': true, ...flags },
      user: { ...user, env: all },
    });
  }

  it('opens it without writing to the bucket, and shows how it is reached', async () => {
    const prefix = await server().emptyStore();
    const location = server().location(prefix);
    const { exitCode, stdout, stderr } = await check(location);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(linesOf(stdout)).to.include.members([
      `(default) | ${location} | anonymous: append, plain HTTP`,
      's3-tls | false | option',
    ]);
    expect(await readdir(join(server().folder, prefix))).to.deep.equal(['CONFIG']);
  });

  it('says what is wrong with the bucket, the key and the connection, without the secret key', async () => {
    const location = server().location(await server().emptyStore());
    const cases: [Promise<Outcome>, RegExp][] = [
      [check(location.replace('/bucket/', '/no-such-bucket/')), /there is no bucket no-such-bucket/],
      [check(server().location('nothing')), /s3:\S+ is not a Kloset store: .*CONFIG/],
      [check(location, { AWS_ACCESS_KEY_ID: 'other' }), /doesn't know the access key/],
      [check(location, { AWS_SECRET_ACCESS_KEY: 'topsecret' }), /secret key is not the one of this access key/],
      [check(location, {}, { 's3-tls': true }), /s3-tls to false/],
    ];
    for (const [checked, message] of cases) {
      const { exitCode, stdout, stderr } = await checked;
      expect({ exitCode, stdout }, String(message)).to.deep.equal({ exitCode: 1, stdout: '' });
      expect(stderr)
        .to.match(message)
        .and.not.match(/topsecret|testtest123/);
    }
  });

  it('only warns of an optional one', async () => {
    const location = server()
      .location(await server().emptyStore())
      .replace('/bucket/', '/no-such-bucket/');
    const configPath = await written(
      await tempFolder(),
      `stores: { blue: { location: "${location}", optional: true, s3: { tls: false } } }\n`,
    );
    const { exitCode, stderr } = await checkConfig({ ...from, configPath, user: { ...user, env: server().env } });
    expect(exitCode).to.equal(0);
    expect(stderr).to.match(/^warning: .*there is no bucket no-such-bucket/);
  });

  it('reads the customer key that it names', async () => {
    const file = join(await tempFolder(), 'key');
    await writeFile(file, 'topsecret', { mode: 0o600 });
    const flags = { location: 's3://localhost:1/backups', 's3-sse-customer-key-file': file };
    const { exitCode, stderr } = await checkConfig({ ...from, flags });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`the SSE customer key in ${file} has to be 32 bytes`).and.not.include('topsecret');
  });
});
