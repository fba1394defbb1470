import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/store.js';
import { fixtureStore, tempFolder } from '../support/temp.js';
import { canMakeChroot, Chroot, type RunOptions, type Running } from './support/chroot.js';
import { releaseFolder } from './support/release.js';

const configPath = '/etc/kloset-gateway/config.yaml';
const unitPath = '/lib/systemd/system/kloset-gateway.service';
const storePath = '/srv/kloset/main';

describe('The Debian package', function () {
  this.timeout(900_000);
  let folder: string;
  /** What the package contains, unpacked, and with Debian's own files in DEBIAN. */
  let unpacked: string;
  let chroot: Chroot;

  before(async function () {
    if (!canMakeChroot()) this.skip();
    folder = await tempFolder();
    unpacked = join(folder, 'unpacked');
    const released = await releaseFolder();
    const [name = ''] = (await readdir(released)).filter((each) => each.endsWith('.deb'));
    await cp(join(released, name), join(folder, 'first.deb'));
    execFileSync('dpkg-deb', ['--raw-extract', join(folder, 'first.deb'), unpacked]);
    chroot = await Chroot.make();
  });

  after(async () => {
    await chroot?.remove();
  });

  /** Packs `unpacked` as another package. */
  function pack(name: string): string {
    const path = join(folder, name);
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '--build', unpacked, path]);
    return path;
  }

  /** Runs apt-get in the chroot. Resolves to what it printed. */
  function aptGet(...args: string[]): string {
    const options = ['--yes', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold'];
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    return chroot.runOrFail(['apt-get', ...options, ...args], { env, mounts: [{ source: folder, target: '/mnt' }] });
  }

  const inChroot = (path: string): string => join(chroot.path, path);
  const owner = (path: string): string => chroot.runOrFail(['stat', '--format', '%U:%G %a', path]).trim();

  it('keeps the rules of Debian that lintian checks', async function () {
    if (spawnSync('lintian', ['--version']).status !== 0) this.skip();
    const binary = join(unpacked, 'usr/bin/kloset-gateway');
    // lintian takes half a minute for the program, of which it only says what the overrides are for.
    await rename(binary, join(folder, 'program'));
    await cp('/bin/true', binary);
    const args = ['--allow-root', '--fail-on', 'error,warning', '--suppress-tags', 'md5sum-mismatch', pack('lint.deb')];
    const { status, stdout, stderr } = spawnSync('lintian', args, { encoding: 'utf8' });
    await rename(join(folder, 'program'), binary);
    expect(status, stdout + stderr).to.equal(0);
  });

  it('has units without mistakes', async () => {
    const units = (await readdir(join(unpacked, 'lib/systemd/system'))).map((name) =>
      join(unpacked, 'lib/systemd/system', name),
    );
    expect(units).to.have.length(3);
    // The paths of the programs are those of this machine.
    const service = join(folder, 'kloset-gateway.service');
    const text = await readFile(join(unpacked, unitPath), 'utf8');
    await writeFile(service, text.replaceAll('/usr/bin/', join(unpacked, 'usr/bin/')));
    const others = units.filter((path) => !path.endsWith('.service'));
    const args = ['verify', '--man=no', '--recursive-errors=yes', service, ...others];
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect(stdout + stderr).to.equal('');
    expect(status).to.equal(0);
  });

  it('has a service with an exposure of less than 2 of 10', () => {
    const args = ['security', '--no-pager', '--offline=yes', '--threshold=20', join(unpacked, unitPath)];
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect(status, stdout + stderr).to.equal(0);
  });

  it('has all man pages', async () => {
    for (const section of ['man1', 'man5']) {
      const pages = (await readdir(fileURLToPath(new URL(`../../share/man/${section}`, import.meta.url)))).map(
        (name) => `${name}.gz`,
      );
      expect(await readdir(join(unpacked, 'usr/share/man', section))).to.have.members(pages);
    }
  });

  it('installs on a Debian without systemd', () => {
    chroot.runOrFail(['apt-get', 'update']);
    aptGet('install', '/mnt/first.deb');
    expect(chroot.runOrFail(['kloset-gateway', '--version'])).to.match(/^kloset-gateway \d/);
  });

  it('is for a user of its own, who alone has what it writes, and may read but not change the configuration', () => {
    expect(chroot.runOrFail(['getent', 'passwd', 'kloset-gateway'])).to.match(
      /^kloset-gateway:[^:]*:\d+:\d+:[^:]*:\/var\/lib\/kloset-gateway:\/usr\/sbin\/nologin$/m,
    );
    expect(owner('/var/lib/kloset-gateway')).to.equal('kloset-gateway:kloset-gateway 750');
    expect(owner('/var/log/kloset-gateway')).to.equal('kloset-gateway:kloset-gateway 750');
    expect(owner('/etc/kloset-gateway')).to.equal('root:kloset-gateway 750');
    expect(owner(configPath)).to.equal('root:kloset-gateway 640');
  });

  it('enables the service, and leaves the sockets to the administrator', async () => {
    expect(await readdir(inChroot('/etc/systemd/system/multi-user.target.wants'))).to.deep.equal([
      'kloset-gateway.service',
    ]);
    expect(existsSync(inChroot('/etc/systemd/system/sockets.target.wants'))).to.equal(false);
  });

  describe('run as its service runs it', () => {
    let user: NonNullable<RunOptions['user']>;
    let gateway: Running;

    before(async () => {
      const number = (option: string): number => Number(chroot.runOrFail(['id', option, 'kloset-gateway']));
      user = { uid: number('--user'), gid: number('--group') };
      const [, command] = /^ExecStart=(.*)$/m.exec(await readFile(inChroot(unitPath), 'utf8')) ?? [];
      gateway = await chroot.start(command?.split(' ') ?? [], { user, ownNetwork: true });
      await eventually(async () => gateway.output.includes('HTTP on '), 'the gateway listens');
    });

    after(async () => {
      await gateway?.kill();
    });

    /** The answer to a request over HTTP: its status, and its body. */
    function request(method: string, path: string): { status: number; body: string } {
      const text = `${method} ${path} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n`;
      const script = `exec 3<>/dev/tcp/127.0.0.1/9876 && printf '${text}' >&3 && cat <&3`;
      const { stdout } = gateway.run(['bash', '-c', script]);
      const [head = '', body = ''] = stdout.split('\r\n\r\n');
      return { status: Number(head.split(' ')[1]), body };
    }

    it('has a configuration without mistakes', () => {
      const { status, stderr } = gateway.run(['kloset-gateway', 'check-config', '--config', configPath], { user });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    });

    it('waits for the store, and opens it when it is there', async () => {
      expect(request('GET', '/resources/states').status).to.equal(503);
      const store = await fixtureStore('v1.1-encrypted/store-two-snapshots');
      await mkdir(inChroot('/srv/kloset'));
      // Complete from the start: it is made elsewhere.
      await cp(store, inChroot('/srv/kloset/new'), { recursive: true });
      chroot.runOrFail(['chown', '--recursive', 'kloset-gateway:', '/srv/kloset/new']);
      await rename(inChroot('/srv/kloset/new'), inChroot(storePath));
      await eventually(async () => request('GET', '/resources/states').status === 200, 'the store is served', 90_000);
      const states = JSON.parse(request('GET', '/resources/states').body) as string[];
      expect(states).to.have.length(2);
    });

    it('may be read by this machine, and nothing else', () => {
      expect(request('DELETE', `/resources/states/${'0'.repeat(64)}`).status).to.equal(403);
      expect(request('PUT', `/resources/states/${'0'.repeat(64)}`).status).to.equal(403);
      const addresses = [...gateway.output.matchAll(/"(?:HTTP|gRPC|status and metrics) on ([^"]*):\d+"/g)];
      expect(addresses).to.have.length.of.at.least(3);
      for (const [, host] of addresses) expect(host).to.be.oneOf(['127.0.0.1', '[::1]', 'localhost']);
    });

    it('stops at SIGTERM', async () => {
      gateway.signal('SIGTERM');
      expect(await gateway.exit).to.deep.equal({ code: 0, signal: null });
    });
  });

  describe('where systemd runs', () => {
    const callsPath = '/tmp/systemctl.calls';

    before(async () => {
      // Stands in for systemd, which can't run in the chroot: writes down what it is told.
      await mkdir(inChroot('/run/systemd/system'), { recursive: true });
      await writeFile(inChroot('/usr/bin/systemctl'), `#!/bin/sh\necho "$*" >>${callsPath}\n`);
      await chmod(inChroot('/usr/bin/systemctl'), 0o755);
    });

    beforeEach(async () => {
      await rm(inChroot(callsPath), { force: true });
    });

    /** What systemctl was told, without its options. */
    async function calls(): Promise<string[]> {
      const lines = (await readFile(inChroot(callsPath), 'utf8')).trim().split('\n');
      return lines.map((line) => line.replaceAll(/--\S+ ?/g, ''));
    }

    it('is upgraded with the configuration as the administrator has it, and started anew', async () => {
      const config = `${await readFile(inChroot(configPath), 'utf8')}\n# changed by the administrator\n`;
      await writeFile(inChroot(configPath), config);
      const control = join(unpacked, 'DEBIAN/control');
      const newConfig = join(unpacked, configPath);
      await writeFile(control, (await readFile(control, 'utf8')).replace(/^Version: .*$/m, 'Version: 99.0.0'));
      await writeFile(newConfig, `${await readFile(newConfig, 'utf8')}\n# changed by the new version\n`);
      pack('next.deb');

      aptGet('install', '/mnt/next.deb');

      expect(chroot.runOrFail(['dpkg-query', '--show', 'kloset-gateway'])).to.equal('kloset-gateway\t99.0.0\n');
      expect(await readFile(inChroot(configPath), 'utf8')).to.equal(config);
      expect(owner(configPath)).to.equal('root:kloset-gateway 640');
      const told = await calls();
      expect(told).to.include.members(['daemon-reload', 'restart kloset-gateway.service']);
      expect(told.filter((call) => call.startsWith('stop'))).to.deep.equal([]);
    });

    it('is removed, but for the configuration, the state and the stores', async () => {
      await writeFile(inChroot('/var/lib/kloset-gateway/history'), 'what the gateway remembers');
      aptGet('remove', 'kloset-gateway');
      expect(await calls()).to.include.members([
        'stop kloset-gateway.socket kloset-gateway-admin.socket kloset-gateway.service',
        'daemon-reload',
      ]);
      expect(existsSync(inChroot('/usr/bin/kloset-gateway'))).to.equal(false);
      expect(existsSync(inChroot(unitPath))).to.equal(false);
      for (const path of [
        configPath,
        '/var/lib/kloset-gateway/history',
        '/var/log/kloset-gateway/audit.log',
        storePath,
      ])
        expect(existsSync(inChroot(path)), path).to.equal(true);
    });

    it('is purged, but for the stores, and for files that are not its own', async () => {
      await writeFile(inChroot('/etc/kloset-gateway/key.pem'), 'a key');
      aptGet('purge', 'kloset-gateway');
      expect(await readdir(inChroot('/etc/kloset-gateway'))).to.deep.equal(['key.pem']);
      for (const path of ['/var/lib/kloset-gateway', '/var/log/kloset-gateway', '/etc/logrotate.d/kloset-gateway'])
        expect(existsSync(inChroot(path)), path).to.equal(false);
      expect(await readdir(inChroot('/etc/systemd/system/multi-user.target.wants')).catch(() => [])).to.deep.equal([]);
      expect(existsSync(inChroot(join(storePath, 'CONFIG')))).to.equal(true);
      expect(owner(storePath)).to.match(/^kloset-gateway:kloset-gateway /);
    });

    it('keeps its state folder at a purge, if there is a store in it', async () => {
      const store = inChroot('/var/lib/kloset-gateway/stores/main');
      await cp(inChroot(storePath), store, { recursive: true });
      const mounts = [{ source: join(unpacked, 'DEBIAN'), target: '/mnt' }];
      const { status, stderr } = chroot.run(['/mnt/postrm', 'purge'], { mounts });
      expect(status).to.equal(0);
      expect(stderr).to.include('/var/lib/kloset-gateway is kept, since a store is in it');
      expect(existsSync(join(store, 'CONFIG'))).to.equal(true);
    });
  });
});
