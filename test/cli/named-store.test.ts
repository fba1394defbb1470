import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import { namedStore, sharedTokenProblem, type NamedStore } from '../../src/cli/named-store.js';
import type { TextSettings } from '../../src/config/sources.js';
import { startTestGateway } from '../support/gateway.js';
import { tempFolder } from '../support/temp.js';
import { run, storeWithRemoval } from './support/undo.js';

async function configFile(settings: object): Promise<string> {
  const folder = await tempFolder();
  await writeFile(join(folder, 'mirror.token'), 'the-token\n', { mode: 0o600 });
  const path = join(folder, 'gateway.yaml');
  await writeFile(path, JSON.stringify(settings), { mode: 0o600 });
  return path;
}

async function named(flags: TextSettings, configPath?: string): Promise<NamedStore> {
  const surroundings = { home: '/nonexistent', cwd: '/srv' };
  const found = await namedStore({ flags, configPath, store: undefined }, { env: {}, surroundings });
  if ('problems' in found) throw new Error(found.problems.join());
  return found;
}

describe('a store that is named by its location, beside a configuration file', () => {
  it('has the settings that the file has for the store, or for the mirror, that is there', async () => {
    const configPath = await configFile({
      's3-region': 'eu-1',
      stores: {
        '': { location: '/srv/other' },
        blue: {
          location: 's3://one.example.org/blue',
          s3: { region: 'eu-2' },
          mirror: { to: 's3://two.example.org/blue', s3: { region: 'eu-3', tls: false } },
        },
      },
    });
    const regionOf = async (location: string): Promise<string | undefined> =>
      (await named({ location }, configPath)).settings.s3?.region;
    expect(await regionOf('s3://one.example.org/blue')).to.equal('eu-2');
    expect(await regionOf('s3://two.example.org/blue')).to.equal('eu-3');
    expect(await named({ location: 'other' }, configPath)).to.deep.include({
      location: { scheme: 'fs', path: '/srv/other' },
    });
  });

  it('has those for all stores where the file has none for it', async () => {
    const configPath = await configFile({
      's3-region': 'eu-1',
      'max-object-size': '5MiB',
      stores: { blue: { location: '/srv/blue' } },
    });
    const inS3 = await named({ location: 's3://three.example.org/blue' }, configPath);
    expect(inS3.settings.s3?.region).to.equal('eu-1');
    const withOption = await named({ location: 's3://three.example.org/blue', 's3-region': 'eu-9' }, configPath);
    expect(withOption.settings.s3?.region).to.equal('eu-9');
    const elsewhere = await named({ location: '/mnt/copy' }, configPath);
    expect(elsewhere.location).to.deep.equal({ scheme: 'fs', path: '/mnt/copy' });
    expect(elsewhere.config.limits.maxObjectBytes).to.equal(5 * 1024 ** 2);
  });

  it('may be any, also where the file has a default store', async () => {
    const { path } = await storeWithRemoval();
    const configPath = await configFile({ stores: { '': { location: '/nonexistent' } } });
    const { exitCode, stderr } = await run('info', path, '--config', configPath);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
  });

  it('is opened with the token of the mirror at another gateway', async () => {
    const { path } = await storeWithRemoval();
    const gateway = await startTestGateway(path, {
      principals: { mirror: { tokens: [`sha256:${tokenDigest('the-token')}`], access: { '': 'read-only' } } },
    });
    const location = `grpc://127.0.0.1:${gateway.grpcPort}`;
    const mirror = { from: location, 'token-file': 'mirror.token' };
    const configPath = await configFile({ stores: { blue: { location: '/srv/blue', mirror } } });
    const [without, withFile] = [await run('info', location), await run('info', location, '--config', configPath)];
    await gateway.close();
    expect(without.exitCode).to.equal(1);
    expect({ exitCode: withFile.exitCode, stderr: withFile.stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
  });
});

describe('the token in KLOSET_GATEWAY_TOKEN', () => {
  const user = { name: 'operator', home: '/nonexistent', env: { KLOSET_GATEWAY_TOKEN: 'secret' } };

  async function problemOf(one: string, other: string, env: Record<string, string> = user.env, configPath?: string) {
    const [first, second] = [await named({ location: one }, configPath), await named({ location: other }, configPath)];
    return sharedTokenProblem(first, second, { user: { ...user, env } });
  }

  it('is not shown to two gateways', async () => {
    const problem = await problemOf('grpcs://one.example.org/blue', 'grpcs://two.example.org/blue');
    expect(problem).to.include('one.example.org:9878 and two.example.org:9878').and.to.include('token-file');
    expect(problem).not.to.include('secret');
  });

  it('is shown to one of them, where the other has its own', async () => {
    const mirror = { to: 'grpcs://two.example.org/blue', 'token-file': 'mirror.token' };
    const configPath = await configFile({ stores: { blue: { location: '/srv/blue', mirror } } });
    const [one, two] = ['grpcs://one.example.org/blue', 'grpcs://two.example.org/blue'];
    expect(await problemOf(one, two, user.env, configPath)).to.equal(undefined);
    expect(await problemOf(one, two, {})).to.equal(undefined);
    expect(await problemOf(one, 'grpcs://one.example.org/green')).to.equal(undefined);
    expect(await problemOf(one, '/srv/blue')).to.equal(undefined);
  });
});
