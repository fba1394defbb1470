import { expect } from 'chai';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig, type Loaded, type SettingSources } from '../../src/config/load.js';
import { tempFolder } from '../support/temp.js';

const surroundings = { home: '/home/op', cwd: '/work' };

async function file(text: string, mode = 0o600): Promise<string> {
  const path = join(await tempFolder(), 'kloset-gateway.yaml');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

async function load(from: Partial<SettingSources>): Promise<Loaded> {
  const loaded = await loadConfig({ flags: {}, env: {}, configPath: undefined, surroundings, ...from });
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded;
}

async function problems(from: Partial<SettingSources>): Promise<readonly string[]> {
  const loaded = await loadConfig({ flags: {}, env: {}, configPath: undefined, surroundings, ...from });
  return 'problems' in loaded ? loaded.problems : [];
}

describe('loading a configuration', () => {
  it('prefers options to variables, variables to the file, and the file to defaults', async () => {
    const configPath = await file('drain-timeout: 1s\nmin-rate: 1\nmax-uploads: 1\nlisten: ["localhost:1"]\n');
    const env = {
      KLOSET_GATEWAY_DRAIN_TIMEOUT: '2s',
      KLOSET_GATEWAY_MIN_RATE: '2',
      KLOSET_GATEWAY_LISTEN: 'localhost:2, unix:/b',
    };
    const { config } = await load({ configPath, env, flags: { 'drain-timeout': '3', listen: ['localhost:3'] } });
    expect(config.drainMs).to.equal(3000);
    expect(config.limits).to.include({ minRate: 2, maxUploads: 1, maxRequests: 256 });
    expect(config.listeners.map(({ name }) => name)).to.deep.equal(['localhost:3', 'localhost:9878']);
    const withoutOption = await load({ configPath, env });
    expect(withoutOption.config.listeners.map(({ name }) => name)).to.include.members(['localhost:2', 'unix:/b']);
  });

  it("takes the file's path from the environment if no option names it", async () => {
    const configPath = await file('durability: none\n');
    const { config, configFiles } = await load({ env: { KLOSET_GATEWAY_CONFIG: configPath } });
    expect(config.durable).to.equal(false);
    expect(configFiles).to.deep.equal([configPath]);
    const other = await file('durability: fsync\n');
    expect((await load({ configPath: other, env: { KLOSET_GATEWAY_CONFIG: configPath } })).config.durable).to.equal(
      true,
    );
    expect((await load({})).configFiles).to.deep.equal([]);
  });

  it("makes paths absolute: the file's in its folder, the others in the working folder, ~/ at home", async () => {
    const configPath = await file(
      'stores: { a: { location: a } }\naudit-log: logs/audit\ncert: ~/cert\nhtpasswd: ../p\n',
    );
    const folder = join(configPath, '..');
    const { config } = await load({ configPath, flags: { key: 'key' }, env: { KLOSET_GATEWAY_CLIENT_CA: '~/ca' } });
    expect(config.stores.get('a')?.location).to.deep.equal({ scheme: 'fs', path: join(folder, 'a') });
    expect([config.auditLog, config.htpasswd]).to.deep.equal([join(folder, 'logs/audit'), join(folder, '../p')]);
    expect(config.tls).to.include({ cert: '/home/op/cert', key: '/work/key', clientCa: '/home/op/ca' });
  });

  it('takes maps from the file only', async () => {
    const env = { KLOSET_GATEWAY_STORES: '{a: {location: /a}}', KLOSET_GATEWAY_PRINCIPALS: '{}' };
    expect(await problems({ env })).to.deep.equal([
      'KLOSET_GATEWAY_STORES: can only be set in a configuration file, which --config FILE names',
      'KLOSET_GATEWAY_PRINCIPALS: can only be set in a configuration file, which --config FILE names',
    ]);
  });

  it('reports all problems with their origins: the option, the variable, or the line and column', async () => {
    const configPath = await file(
      [
        'listen:',
        '  - :9876',
        '  - { address: "unix:/a", max-acces: full }',
        'stores:',
        '  teams/blue:',
        '    location: s3://bucket',
        '    qouta: 2TiB',
        '  teams/green: { quota: 1 }',
        'principals:',
        '  web-1:',
        '    tokens: [kgw_secret]',
        '    access: { teams/bleu: append }',
        'drain-timeout: soon',
        'log-format: text',
        'cert: &c cert.pem',
        '',
      ].join('\n'),
    );
    const all = await problems({
      configPath,
      flags: { 'log-level': 'loud', 'grpc-listen': ['localhost:1', 'x y'], location: 's3://user:secret@x' },
      env: { KLOSET_GATEWAY_LOG_FORMAT: 'xml', KLOSET_GATEWAY_MAX_UPLAODS: '1', KLOSET_GATEWAY_NO_AUTH: 'maybe' },
    });
    const origins = all.map((each) => each.replace(configPath, 'FILE').split(': ').slice(0, 2).join(': '));
    expect(origins.slice(0, 6)).to.have.members([
      'KLOSET_GATEWAY_MAX_UPLAODS: unknown setting',
      'KLOSET_GATEWAY_NO_AUTH: must be true or false',
      '--log-level loud: must be one of trace, debug, info, warn, error, silent',
      'KLOSET_GATEWAY_LOG_FORMAT=xml: must be one of text, json',
      '--grpc-listen "x y": must be an address',
      'LOCATION: invalid S3 location',
    ]);
    expect(origins.slice(6)).to.deep.equal([
      'FILE:3:27: listen[1].max-acces',
      'FILE:6:15: stores.teams/blue.location',
      'FILE:7:5: stores.teams/blue.qouta',
      'FILE:8:3: stores.teams/green',
      'FILE:11:14: principals.web-1.tokens[0]',
      'FILE:12:15: principals.web-1.access.teams/bleu',
      'FILE:13:16: drain-timeout',
      'FILE:15:10: cert',
    ]);
    expect(all.join()).not.to.include('secret');
    expect(all[0]).to.equal('KLOSET_GATEWAY_MAX_UPLAODS: unknown setting: did you mean KLOSET_GATEWAY_MAX_UPLOADS?');
  });

  it('takes old names of settings, wherever they are written, and reports their problems under them', async () => {
    const listening = async (from: Partial<SettingSources>): Promise<string[]> =>
      (await load(from)).config.listeners.filter(({ protocol }) => protocol === 'admin').map(({ name }) => name);
    const configPath = await file('metrics-listen: localhost:1\n');
    const env = { KLOSET_GATEWAY_METRICS_LISTEN: 'localhost:2' };
    expect(await listening({ configPath })).to.deep.equal(['localhost:1']);
    expect(await listening({ configPath, env })).to.deep.equal(['localhost:2']);
    expect(await listening({ env, flags: { 'metrics-listen': ['localhost:3'] } })).to.deep.equal(['localhost:3']);
    expect(await listening({ configPath, env, flags: { 'admin-listen': ['off'] } })).to.deep.equal([]);
    const both = { KLOSET_GATEWAY_METRICS_LISTEN: 'x', KLOSET_GATEWAY_ADMIN_LISTEN: 'localhost:2' };
    expect(await problems({ env: both })).to.deep.equal([
      'KLOSET_GATEWAY_METRICS_LISTEN=x: is the old name of admin-listen, which is set as well: remove it',
    ]);
    const wrong = { KLOSET_GATEWAY_METRICS_LISTEN: 'x' };
    expect((await problems({ env: wrong })).join()).to.match(/^KLOSET_GATEWAY_METRICS_LISTEN=x: must be an address/);
    expect((await problems({ flags: { 'metrics-listen': ['x'] } })).join()).to.match(/^--metrics-listen x: must be an/);
    const wrongFile = await file('log-level: info\nmetrics-listen: [x]\n');
    expect((await problems({ configPath: wrongFile })).join()).to.match(
      /:2:18: metrics-listen\[0\]: must be an address/,
    );
    const twice = await file('metrics-listen: localhost:1\nadmin-listen: localhost:2\n');
    expect((await problems({ configPath: twice })).join()).to.match(/:1:1: metrics-listen: is the old name/);
  });

  it("doesn't repeat what may be a token or a password", async () => {
    const flags = { 'admin-token': 'kgw_secret', location: 's3://user:secret@x' };
    const all = await problems({ flags, env: {} });
    expect(all.map((each) => each.split(':', 1)[0])).to.have.members(['--admin-token', 'LOCATION']);
    expect(all.join()).not.to.include('secret');
  });

  it('finds positions through aliases, and those of single values instead of lists', async () => {
    const configPath = await file('listen: { address: ":x" }\nstores:\n  a: &s { location: "s3://x" }\n  b: *s\n');
    const all = await problems({ configPath });
    expect(all.map((each) => each.replace(configPath, 'FILE').split(': ', 1)[0])).to.deep.equal([
      'FILE:1:20',
      'FILE:3:21',
      'FILE:3:21',
    ]);
  });

  it('reports invalid YAML, and a file that cannot be read', async () => {
    const texts = {
      'a: 1\na: 2\nb: [1': [/FILE:2:1: map keys must be unique/, /FILE:3:6: flow sequence/],
      'a: 1\n---\nb: 2\n': [/FILE:2:1: a second document starts here/],
      '- a': [/FILE:1:1: the file must be a map/],
      'stores: { __proto__: { location: /x } }': [/FILE:1:11: this can't be a name/],
      'stores: { [a]: { location: /x } }': [/FILE:1:11: this can't be a name/],
      'a: *b': [/FILE: unresolved alias/i],
      'log-level: !x info': [/FILE:1:12: unresolved tag/],
    };
    for (const [text, patterns] of Object.entries(texts)) {
      const configPath = await file(text);
      const all = await problems({ configPath });
      expect(all, text).to.have.length(patterns.length);
      patterns.forEach((pattern, i) => expect(all[i]?.replace(configPath, 'FILE')).to.match(pattern));
    }
    expect((await problems({ configPath: '/nonexistent/x' })).join()).to.match(
      /^the configuration file \/nonexistent\/x can't be read: it does not exist$/,
    );
  });

  it('treats an empty file and settings without a value as missing', async () => {
    for (const text of ['', '# nothing\n', 'stores:\nlog-level:\n']) {
      expect((await load({ configPath: await file(text) })).config.logLevel).to.equal('info');
    }
  });

  it('ignores variables that are for something else', async () => {
    const env = {
      KLOSET_GATEWAY_TOKEN: 'secret',
      KLOSET_GATEWAY_SERVICE_HOST: '10.0.0.1',
      KLOSET_GATEWAY_SERVICE_PORT_HTTP: '9876',
      KLOSET_GATEWAY_PORT: 'tcp://10.0.0.1:9876',
      KLOSET_GATEWAY_PORT_9876_TCP_ADDR: '10.0.0.1',
      KLOSET_GATEWAY_LOG_LEVEL: '',
      KLOSET_GATEWAY_SSH_PASSPHRASE_ENV: 'KLOSET_GATEWAY_PASSPHRASE',
      KLOSET_GATEWAY_PASSPHRASE: 'secret',
      KLOSET: '1',
    };
    expect(await problems({ env })).to.deep.equal([]);
    expect(await problems({ env: { KLOSET_GATEWAY_PASSPHRASE: 'secret' } })).to.have.length(1);
  });

  it('accepts several spellings of true and false in variables', async () => {
    for (const [text, durable] of Object.entries({
      true: true,
      YES: true,
      '1': true,
      false: false,
      off: false,
      '0': false,
    })) {
      const { config } = await load({ env: { KLOSET_GATEWAY_NO_AUTH: text } });
      expect(config.noAuth, text).to.equal(durable);
    }
  });

  it('lets --allow-write raise the access that the file gives to the default store, but not allow-write in the file', async () => {
    const text = 'stores: { "": { location: /x, anonymous: read-only } }\n';
    const { config } = await load({ configPath: await file(text), flags: { 'allow-write': true } });
    expect(config.stores.get('')?.anonymous).to.equal('append');
    expect(await problems({ configPath: await file(`${text}allow-write: true\n`) })).to.have.length(1);
    expect(await problems({ configPath: await file(text), flags: { location: '/y' } })).to.have.length(1);
  });

  it('warns of a file that other users can change, or that shows them secrets or hashes of tokens', async () => {
    const token = `principals: { w: { tokens: ["sha256:${'1'.repeat(64)}"], access: { "*": full } } }\n`;
    const warningsOf = async (text: string, mode: number) =>
      (await load({ configPath: await file(text, mode) })).warnings;
    expect(await warningsOf(token, 0o640)).to.deep.equal([]);
    expect(await warningsOf('log-level: info\n', 0o644)).to.deep.equal([]);
    expect(await warningsOf('location: /s\ndigests: sha256\n', 0o644)).to.deep.equal([]);
    expect((await warningsOf(token, 0o644)).join()).to.match(/can be read by every user/);
    const secret = 'state-dir: /s\nnotify: { webhook: { url: "http://localhost/" } }\n';
    expect((await warningsOf(secret, 0o644)).join()).to.match(/contains secrets and can be read by every user/);
    expect(await warningsOf(secret, 0o640)).to.deep.equal([]);
    expect((await warningsOf('log-level: info\n', 0o666)).join()).to.match(/can be changed by every user/);
  });
});
