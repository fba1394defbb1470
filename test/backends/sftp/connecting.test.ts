import { expect } from 'chai';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SftpLocation } from '../../../src/backends/sftp/location.js';
import { openSftp } from '../../../src/backends/sftp/open-sftp.js';
import type { SftpOptions } from '../../../src/backends/sftp/options.js';
import type { ErrorCode } from '../../../src/core/errors.js';
import { hasSshd, makeKey, Sshd } from '../../support/sshd.js';
import { eventually, expectFailure } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';
import { PlainServer } from './plain-server.js';

describe('opening a folder of an SSH server', function () {
  this.timeout(30_000);
  let sshd: Sshd;
  let folder: string;
  let scratch: string;
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (_: object, message: string) => void warnings.push(message) };

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start({ hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'] });
  });

  beforeEach(async () => {
    folder = await tempFolder();
    scratch = await tempFolder();
    await mkdir(join(folder, 'packfiles'));
    warnings.length = 0;
  });

  afterEach(async () => {
    await eventually(async () => (await sshd.connectionProcesses()).length === 0, 'no connection is left');
  });

  after(async () => {
    await sshd?.stop();
  });

  async function opens(options: Partial<SftpOptions> = {}, location: Partial<SftpLocation> = {}): Promise<void> {
    const files = await openSftp({ ...sshd.location(folder), ...location }, { ...sshd.options, ...options }, log);
    try {
      expect(await files.list('.')).to.deep.equal([{ name: 'packfiles', type: 'folder' }]);
    } finally {
      await files.close();
    }
  }

  async function refuses(
    code: ErrorCode,
    message: RegExp,
    options: Partial<SftpOptions> = {},
    location: Partial<SftpLocation> = {},
  ): Promise<void> {
    const error = await expectFailure(opens(options, location), code);
    expect(error.message).to.match(message);
  }

  /** Options with a known_hosts file of this text. */
  async function knowing(text: string): Promise<Partial<SftpOptions>> {
    const file = join(scratch, 'known_hosts');
    await writeFile(file, text);
    return { knownHosts: [file] };
  }

  /** A key that is none of the server's, as in a known_hosts file. */
  async function foreignKey(type = 'ed25519'): Promise<string> {
    makeKey(join(scratch, `foreign_${type}`), type);
    return readFile(join(scratch, `foreign_${type}.pub`), 'utf8');
  }

  const name = (): string => `[127.0.0.1]:${sshd.port}`;

  describe('checks the host key', () => {
    for (const type of ['ed25519', 'ecdsa', 'rsa']) {
      it(`and takes the ${type} one where only that is known`, async () => {
        const key = await readFile(join(sshd.folder, `host_${type}.pub`), 'utf8');
        await opens(await knowing(`${name()} ${key}`));
      });
    }

    it('in a hashed file', async () => {
      const options = await knowing(await sshd.knownHosts());
      const [file = ''] = options.knownHosts ?? [];
      expect(spawnSync('ssh-keygen', ['-H', '-f', file]).status).to.equal(0);
      expect(await readFile(file, 'utf8')).not.to.contain('127.0.0.1');
      await opens(options);
    });

    it('and refuses one that is unknown, with what was offered, where it was looked for, and what to run', async () => {
      const fingerprint = String(spawnSync('ssh-keygen', ['-lf', join(sshd.folder, 'host_ed25519.pub')]).stdout).split(
        ' ',
      )[1];
      const error = await expectFailure(opens(await knowing('')), 'permission_denied');
      expect(error.message).to.contain('host key').and.to.contain(fingerprint).and.to.contain(`${scratch}/known_hosts`);
      expect(error.message).to.contain(`Run: ssh -p ${sshd.port} ${sshd.user}@127.0.0.1`);
    });

    it('and refuses one that was changed, with the line that has the old one', async () => {
      const options = await knowing(`# a comment\n${name()} ${await foreignKey()}`);
      await refuses('permission_denied', /host key .*known_hosts:2.*SHA256:.*ssh-keygen -R/, options);
    });

    it('and refuses one that is revoked', async () => {
      const key = await readFile(join(sshd.folder, 'host_ed25519.pub'), 'utf8');
      await refuses('permission_denied', /host key .*revoked/, await knowing(`${name()} ${key}@revoked * ${key}`));
    });

    it('and says that it knows no authorities', async () => {
      const options = await knowing(`@cert-authority * ${await foreignKey()}`);
      await refuses('permission_denied', /host key .*certificate authority/, options);
    });

    it('unless it is told not to, and warns then', async () => {
      await opens({ ...(await knowing(`${name()} ${await foreignKey()}`)), insecureIgnoreHostKey: true });
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/host key is not checked/);
    });
  });

  describe('logs in', () => {
    /** An encrypted key that the server takes. */
    async function encryptedKey(): Promise<string> {
      const file = join(scratch, 'encrypted');
      makeKey(file, 'ed25519', 'open sesame');
      await authorize(file);
      return file;
    }

    async function authorize(file: string): Promise<void> {
      const keys = join(sshd.folder, 'authorized_keys');
      await writeFile(keys, `${await readFile(keys, 'utf8')}${await readFile(`${file}.pub`, 'utf8')}`);
    }

    it('with an encrypted identity whose passphrase is in a variable or a file', async () => {
      const identities = [await encryptedKey()];
      const passphraseFile = join(scratch, 'passphrase');
      await writeFile(passphraseFile, 'open sesame\n');
      await opens({ identities, passphraseFile });
      await opens({ identities, passphraseEnv: 'SECRET', env: { ...sshd.options.env, SECRET: 'open sesame' } });
      await refuses('permission_denied', /encrypted.*passphrase has to be given/, { identities });
      await refuses('permission_denied', /variable SECRET .* not set/, { identities, passphraseEnv: 'SECRET' });
      const wrong = { ...sshd.options.env, SECRET: 'wrong' };
      const error = await expectFailure(
        opens({ identities, passphraseEnv: 'SECRET', env: wrong }),
        'permission_denied',
      );
      expect(error.message).to.match(/passphrase of the identity .* is wrong/);
    });

    it('not with an identity that the server does not know, and says what was tried', async () => {
      const file = join(scratch, 'stranger');
      makeKey(file);
      await refuses('permission_denied', /doesn't let .* in: none of .*stranger/, { identities: [file] });
      await refuses('permission_denied', /identity .*none can't be read/, { identities: [join(scratch, 'none')] });
      await refuses('permission_denied', /identity .*stranger.pub is a public key/, { identities: [`${file}.pub`] });
    });

    it('with the identities in ~/.ssh', async () => {
      await mkdir(join(scratch, '.ssh'));
      makeKey(join(scratch, '.ssh', 'id_ed25519'));
      await authorize(join(scratch, '.ssh', 'id_ed25519'));
      // Without OpenSSH's client, which would look for them in the home of the user that runs the tests.
      await opens({ identities: [], home: scratch, env: { PATH: '/nonexistent' } });
    });

    it('with a key of the agent, also among more than the server lets one try', async () => {
      const [agent, socket] = await startAgent();
      try {
        const env = { ...sshd.options.env, SSH_AUTH_SOCK: socket };
        for (const index of [1, 2, 3, 4, 5, 6, 7]) {
          makeKey(join(scratch, `other_${index}`));
          addKey(socket, join(scratch, `other_${index}`));
        }
        const mine = join(scratch, 'mine');
        makeKey(mine);
        await authorize(mine);
        addKey(socket, mine);
        const config = join(scratch, 'config');
        await writeFile(config, `Host *\n  IdentitiesOnly yes\n  IdentityFile ${mine}.public\n`);
        await writeFile(`${mine}.public.pub`, await readFile(`${mine}.pub`));
        await opens({ identities: [], env, sshConfig: config });
      } finally {
        agent.kill();
        await once(agent, 'exit');
      }
    });

    it('with a password from a file', async () => {
      const server = await PlainServer.start();
      const files = await openSftp(server.location(folder), server.clientOptions, log);
      expect(await files.list('.')).to.have.length(1);
      await files.close();
      const wrong = join(scratch, 'password');
      await writeFile(wrong, 'wrong');
      const opening = openSftp(server.location(folder), { ...server.clientOptions, passwordFile: wrong }, log);
      await expectFailure(opening, 'permission_denied');
      await server.stop();
    });

    async function startAgent(): Promise<[ChildProcess, string]> {
      const socket = join(scratch, 'agent');
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      await eventually(() => Promise.resolve(spawnSync('test', ['-S', socket]).status === 0), 'the agent runs');
      return [agent, socket];
    }

    function addKey(socket: string, file: string): void {
      const { status } = spawnSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
      expect(status).to.equal(0);
    }
  });

  describe('honours the SSH configuration', () => {
    /** A configuration with these lines for the host `nas`, which is the server. */
    async function configured(...lines: string[]): Promise<Partial<SftpOptions>> {
      const file = join(scratch, 'config');
      const included = join(scratch, 'included');
      await writeFile(included, `Host nas\n  HostName 127.0.0.1\n  UserKnownHostsFile ${sshd.folder}/known_hosts\n`);
      const identity = `  IdentityFile ${sshd.folder}/identity\n`;
      await writeFile(file, `Include ${included}\nHost nas\n${identity}${lines.map((line) => `  ${line}\n`).join('')}`);
      return { identities: [], sshConfig: file };
    }

    /** Options that name no file of host keys. */
    function unknowing(options: Partial<SftpOptions>): SftpOptions {
      const all = Object.entries({ ...sshd.options, ...options });
      return Object.fromEntries(all.filter(([option]) => option !== 'knownHosts')) as unknown as SftpOptions;
    }

    /** Opens `nas`, knowing nothing but the configuration. */
    async function opensNas(options: Partial<SftpOptions>, location: Partial<SftpLocation> = {}): Promise<void> {
      const files = await openSftp({ scheme: 'sftp', host: 'nas', path: folder, ...location }, unknowing(options), log);
      expect(await files.list('.')).to.have.length(1);
      await files.close();
    }

    it('for HostName, Port, User, IdentityFile, UserKnownHostsFile and Include', async () => {
      await opensNas({ ...(await configured(`Port ${sshd.port}`, `User ${sshd.user}`)), localUser: 'nobody' });
    });

    it('and lets the location come first', async () => {
      await opensNas(await configured('Port 1', 'User nobody'), { port: sshd.port, user: sshd.user });
    });

    it('for HostKeyAlias', async () => {
      const known = join(scratch, 'aliased');
      await writeFile(known, await sshd.knownHosts('the-nas'));
      const file = join(scratch, 'config');
      await writeFile(
        file,
        `Host nas\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  HostKeyAlias the-nas\n  UserKnownHostsFile ${known}\n`,
      );
      await opensNas({ sshConfig: file });
    });

    it('for ProxyCommand, and leaves no process behind', async () => {
      const relay = join(scratch, 'relay.mjs');
      await writeFile(
        relay,
        `import { connect } from 'node:net';
        const socket = connect(Number(process.argv[3]), process.argv[2]);
        process.stdin.pipe(socket); socket.pipe(process.stdout); socket.on('close', () => process.exit());`,
      );
      const command = `ProxyCommand ${process.execPath} ${relay} %h %p`;
      await opensNas(await configured(`Port ${sshd.port}`, command));
      await eventually(() => Promise.resolve(!isRunning(relay)), 'the proxy has ended');
    });

    it('for ProxyJump, through the jump host, and leaves no process behind', async () => {
      const jump = await Sshd.start();
      try {
        const options = await configured(`Port ${sshd.port}`, 'ProxyJump jump');
        const config = options.sshConfig ?? '';
        const lines = [
          'Host jump',
          '  HostName 127.0.0.1',
          `  Port ${jump.port}`,
          `  IdentityFile ${jump.folder}/identity`,
          `  UserKnownHostsFile ${jump.folder}/known_hosts`,
        ];
        await writeFile(config, `${await readFile(config, 'utf8')}${lines.join('\n')}\n`);
        const files = await openSftp({ scheme: 'sftp', host: 'nas', path: folder }, unknowing(options), log);
        expect(await files.list('.')).to.have.length(1);
        expect(await jump.connectionProcesses()).to.have.length.above(0);
        await jump.killConnections();
        expect(await files.list('.')).to.have.length(1);
        await files.close();
        await eventually(() => Promise.resolve(!isRunning(config)), 'ssh has ended');
      } finally {
        await jump.stop();
      }
    });

    it('and says so where OpenSSH does not understand it', async () => {
      await refuses(
        'invalid_argument',
        /SSH configuration can't be used: .*Nonsense/i,
        await configured('Nonsense yes'),
      );
    });

    it('and warns where there is no OpenSSH to read it', async () => {
      await opens({
        ...(await configured()),
        ...sshd.options,
        sshConfig: join(scratch, 'config'),
        env: { PATH: '/nowhere' },
      });
      expect(warnings.join()).to.match(/SSH configuration is not read/);
    });

    it('and never gives ssh an option that came as a host or a user', async () => {
      await refuses('invalid_argument', /host starts with a dash/, {}, { host: '-oProxyCommand=false' });
      await refuses('invalid_argument', /user starts with a dash/, {}, { user: '-lroot' });
    });

    /** Whether a process has this in its command line. */
    function isRunning(text: string): boolean {
      return spawnSync('pgrep', ['-f', '--', text]).status === 0;
    }
  });

  for (const cipher of ['chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr']) {
    it(`works where the server allows only ${cipher}`, async () => {
      const strict = await Sshd.start({ config: [`Ciphers ${cipher}`] });
      try {
        await opens(strict.options, strict.location(folder));
      } finally {
        await strict.stop();
      }
    });
  }

  it('fails if there is no such folder, or a file of that name', async () => {
    await writeFile(join(folder, 'file'), '');
    await refuses('not_found', /./, {}, { path: join(folder, 'none') });
    await refuses('not_found', /./, {}, { path: join(folder, 'file') });
  });

  it('fails if there is no answer', async () => {
    await refuses('unavailable', /127\.0\.0\.1 port 1 can't be reached/, {}, { port: 1 });
  });

  it('finds that OpenSSH guarantees everything', async () => {
    const files = await openSftp(sshd.location(folder), sshd.options, log);
    expect(files.capabilities).to.deep.equal({
      createWith: 'hardlink',
      replaces: true,
      syncsFiles: true,
      syncsFolders: true,
    });
    expect(warnings).to.deep.equal([]);
    await files.close();
  });
});
