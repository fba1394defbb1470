import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkConfig } from '../../src/cli/check-config.js';
import { makeCertificate } from '../support/certificate.js';
import { tempFolder } from '../support/temp.js';

const configPath = fileURLToPath(new URL('../../examples/config/kloset-gateway.yaml', import.meta.url));
const from = { env: {}, flags: {}, configPath: undefined, surroundings: { home: '/home/op', cwd: '/srv' } };

describe('check-config', () => {
  it('prints the configuration, and where each setting was given, without secrets', async () => {
    const env = { KLOSET_GATEWAY_LOG_LEVEL: 'warn', KLOSET_GATEWAY_TOKEN: 'secret' };
    const { certFile: cert, keyFile: key } = await makeCertificate();
    const flags = { quota: '5GiB', location: '/d', 'drain-timeout': '5m', cert, key, 'client-ca': cert };
    const { exitCode, stdout } = await checkConfig({ ...from, env, flags, configPath });
    expect(exitCode).to.equal(0);
    const lines = stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    expect(lines).to.include.members([
      `OK: ${configPath}`,
      'HTTP | :9876 | name network, TLS, at most append',
      'gRPC | unix:/run/kloset-gateway/admin.sock | name admin, mode 0660, owner :backup',
      'teams/blue | /srv/kloset/blue | anonymous: none, quota 2TiB',
      '(default) | /d | anonymous: none, quota 5GiB',
      'web-1 | token | teams/blue: append, shared: read-only | through network',
      'db-1 | cn:db-1 | teams/green: append, shared: read-only | through network',
      'auditor | token until 2099-12-31T23:59:59Z | *: read-only',
      'log-level | warn | environment',
      'drain-timeout | 5m | option',
      `cert | ${cert} | option`,
      'durability | fsync',
    ]);
    expect(stdout).not.to.match(/secret|[0-9a-f]{64}/);
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
