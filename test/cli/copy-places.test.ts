import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSftpLocation } from '../../src/backends/sftp/location.js';
import type { Outcome } from '../../src/cli/outcome.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { runCommand } from '../../src/cli/run-command.js';
import { host, startTestGateway, type TestGateway } from '../support/gateway.js';
import { s3Server } from '../support/s3-server.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { emptyStore, fixtureStore, tempFolder } from '../support/temp.js';

/** A store somewhere, whose files are in a folder of this machine. */
interface Place {
  readonly location: string;
  readonly folder: string;
}

describe('copy between places', function () {
  this.timeout(60_000);
  const server = s3Server();
  const gateways: TestGateway[] = [];
  let sshd: Sshd;
  /** The files of a real store: two snapshots, by path. */
  let files: Record<string, string>;
  let local: Place;

  before(async function () {
    if (!process.env['CI'] && !hasSshd()) this.skip();
    sshd = await Sshd.start();
    const folder = await fixtureStore('v1.1-encrypted/store-two-snapshots');
    local = { location: folder, folder };
    const all = Object.entries(await filesIn(folder));
    files = Object.fromEntries(all.filter(([path]) => /^(CONFIG|packfiles\/..\/.*|states\/..\/.*)$/.test(path)));
  });

  after(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()));
    await sshd?.stop();
  });

  async function copy(...words: string[]): Promise<Outcome> {
    const { settings } = sshd;
    const context = {
      env: {},
      surroundings: { home: '/nonexistent', cwd: '/' },
      host,
      user: { name: 'operator', home: '/nonexistent', env: { PATH: process.env['PATH'], ...server().env } },
      print: async () => undefined,
      terminal: undefined,
    };
    const ssh = ['--ssh-identity', String(settings['ssh-identity']), '--ssh-config', 'none'];
    const keys = ['--ssh-known-hosts', String(settings['ssh-known-hosts']), '--no-s3-tls'];
    return runCommand(parseCommandLine(['copy', ...words, ...ssh, ...keys]), context);
  }

  /** Where there is nothing yet. */
  const newIn = {
    local: async (): Promise<Place> => {
      const folder = join(await tempFolder(), 'new', 'store');
      return { location: folder, folder };
    },
    sftp: async (): Promise<Place> => {
      const folder = join(await tempFolder(), 'new', 'store');
      return { location: formatSftpLocation(sshd.location(folder)), folder };
    },
    s3: async (): Promise<Place> => {
      const prefix = `copies/${randomBytes(4).toString('hex')}`;
      return { location: server().location(prefix), folder: join(server().folder, prefix) };
    },
  };

  async function gatewayTo(folder: string): Promise<Place> {
    const gateway = await startTestGateway(folder, { 'allow-write': true });
    gateways.push(gateway);
    return { location: `grpc://127.0.0.1:${gateway.grpcPort}`, folder };
  }

  /** A gateway that clients may append to. */
  async function emptyGateway(): Promise<Place> {
    const folder = await emptyStore();
    await copyFile(join(local.folder, 'CONFIG'), join(folder, 'CONFIG'));
    return gatewayTo(folder);
  }

  async function expectCopied(from: Place, to: Place, ...more: string[]): Promise<void> {
    const { exitCode, stdout, stderr } = await copy(from.location, to.location, '--verify', ...more);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(stdout).to.match(
      /^copied: 3 packfiles, .*, and 2 states, .*\nin both already: 0 packfiles, and 0 states\n$/,
    );
    expect(await filesIn(to.folder)).to.deep.equal(files);
    const again = await copy(from.location, to.location, ...more);
    expect(again.stderr).to.equal('');
    expect(again.exitCode).to.equal(0);
    expect(again.stdout).to.equal(
      'copied: 0 packfiles, 0 B, and 0 states, 0 B\nin both already: 3 packfiles, and 2 states\n',
    );
  }

  for (const [name, place] of Object.entries(newIn)) {
    it(`makes a new store, ${name}, and copies from there to a gateway`, async () => {
      const first = await place();
      await expectCopied(local, first, '--create');
      await expectCopied(first, await emptyGateway());
    });
  }

  it('goes on from a gateway to S3, from there to SFTP, and from there to a folder', async () => {
    const places = [await gatewayTo(local.folder), await newIn.s3(), await newIn.sftp(), await newIn.local()];
    for (const [i, to] of places.slice(1).entries()) await expectCopied(places[i] ?? to, to, '--create');
  });

  it('makes no store where there is anything else, or through a gateway', async () => {
    for (const [name, place] of Object.entries(newIn)) {
      const { location, folder } = await place();
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'notes'), 'not empty');
      const { exitCode, stderr } = await copy(local.location, location, '--create');
      expect(exitCode, name).to.equal(1);
      expect(stderr).to.match(
        /^kloset-gateway: no store can be made at .*: (the folder is not empty|there are other objects)/,
      );
      expect(Object.keys(await filesIn(folder))).to.deep.equal(['notes']);
    }
    const { exitCode, stderr } = await copy(local.location, (await emptyGateway()).location, '--create');
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/no store can be made at grpc:.*: make it where it is kept/);
  });

  it('makes a store of what an interrupted attempt has left', async () => {
    for (const place of [newIn.local, newIn.sftp]) {
      const { location, folder } = await place();
      await mkdir(join(folder, 'packfiles', '00'), { recursive: true });
      await writeFile(join(folder, 'packfiles', 'tmp.kloset-gateway.host.1.0123456789abcdef'), 'a part of CONFIG');
      expect((await copy(local.location, location, '--create')).stderr).to.equal('');
      await mkdir(join(folder, 'x'));
      await rm(join(folder, 'CONFIG'));
      expect((await copy(local.location, location, '--create')).stderr).to.include('the folder is not empty');
      await rm(join(folder, 'x'), { recursive: true });
      // Its objects are some other store's, for all that is known.
      expect((await copy(local.location, location, '--create')).stderr).to.include('the folder is not empty');
    }
  });

  it('makes folders as plakar does', async () => {
    for (const place of [newIn.local, newIn.sftp]) {
      const { location, folder } = await place();
      await copy(local.location, location, '--create');
      const modeOf = async (path: string): Promise<number> => (await stat(join(folder, path))).mode & 0o777;
      expect(await readdir(folder)).to.have.members(['CONFIG', 'locks', 'packfiles', 'states']);
      for (const kind of ['packfiles', 'states']) {
        expect(await readdir(join(folder, kind))).to.have.lengthOf(256);
        expect(await Promise.all(['', kind, `${kind}/ff`].map(modeOf))).to.deep.equal([0o700, 0o700, 0o700]);
      }
      expect([await modeOf('CONFIG'), await modeOf('locks')]).to.deep.equal([0o600, 0o700]);
    }
  });
});

/** All files of a store, by path. */
async function filesIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
  const ofStore = paths.filter((path) => !path.startsWith('kloset-gateway/')).sort();
  return Object.fromEntries(
    await Promise.all(ofStore.map(async (path) => [path, await readFile(join(folder, path), 'base64')])),
  );
}
