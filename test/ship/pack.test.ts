import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTestGateway } from '../support/gateway.js';
import { fixtureStore, tempFolder } from '../support/temp.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Packed {
  readonly filename: string;
  /** In bytes, of the archive and of all its files. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

const mebibyte = 1024 ** 2;

/** Lists the states of the gateway at the address that is its last argument, and prints how many there are and which addons are loaded. */
const clientProgram = `
import { GatewayClient } from 'kloset-gateway/client';
const client = new GatewayClient({ address: process.argv.at(-1) });
let listed = 0;
for await (const macs of client.list('state')) listed += macs.length;
client.close();
process.report.excludeNetwork = true;
const addons = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'));
process.stdout.write(JSON.stringify({ listed, addons }));
`;

describe('the npm package', function () {
  this.timeout(300_000);
  let folder: string;
  let packed: Packed;
  let paths: readonly string[];

  before(async () => {
    folder = await tempFolder();
    await run('npm', ['run', '--silent', 'build'], { cwd: root });
    // Its scripts would remove dist/, which other tests run.
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
    });
    [packed] = JSON.parse(stdout) as [Packed];
    paths = packed.files.map(({ path }) => path);
  });

  it('has what it runs with, and nothing else', () => {
    expect([...new Set(paths.map((path) => path.split('/')[0]))].sort()).to.deep.equal([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'bin',
      'deploy',
      'dist',
      'docs',
      'examples',
      'package.json',
      'plugin',
      'proto',
      'sample',
      'schema',
      'share',
    ]);
    for (const path of [
      'bin/kloset-gateway',
      'dist/src/main.js',
      'proto/kloset/store/v1/store.proto',
      'sample/store/CONFIG',
    ])
      expect(paths).to.include(path);
    const dist = paths.filter((path) => path.startsWith('dist/'));
    expect(dist.filter((path) => !/^dist\/(src|gen)\/.*\.(js|d\.ts)$/.test(path))).to.deep.equal([]);
    const built = /(^|\/)(node_modules|target|\.venv|gen\/kloset|__pycache__)\//;
    expect(paths.filter((path) => !path.startsWith('dist/') && built.test(path))).to.deep.equal([]);
  });

  it('has 3 MiB at most, and unpacked 6 MiB', () => {
    expect(packed.size).to.be.below(3 * mebibyte);
    expect(packed.unpackedSize).to.be.below(6 * mebibyte);
  });

  it('has documents whose links lead to what is in it', async () => {
    const dead: string[] = [];
    for (const path of paths.filter((each) => each.endsWith('.md'))) {
      for (const [, link = ''] of (await readFile(join(root, path), 'utf8')).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^https?:/.test(link)) continue;
        const target = normalize(join(dirname(path), link)).replace(/\/$/, '');
        if (!paths.some((each) => each === target || each.startsWith(`${target}/`))) dead.push(`${path}: ${link}`);
      }
    }
    expect(dead).to.deep.equal([]);
  });

  describe('its client', () => {
    let address: string;
    let close: () => Promise<void>;

    before(async () => {
      const gateway = await startTestGateway(await fixtureStore('v1.1-plaintext/store-two-snapshots'));
      address = `127.0.0.1:${gateway.grpcPort}`;
      close = () => gateway.close();
    });

    after(() => close());

    it('works where neither optional dependencies nor install scripts are wanted', async () => {
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
      const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
      const tarball = join(folder, packed.filename);
      await run('npm', ['install', '--omit=optional', '--ignore-scripts', ...quiet, tarball], { cwd: folder });
      await writeFile(join(folder, 'client.js'), clientProgram);
      const { stdout } = await run(process.execPath, ['client.js', address], { cwd: folder });
      expect(JSON.parse(stdout)).to.deep.equal({ listed: 2, addons: [] });
    });

    it('loads no native addon where there are some', async () => {
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', clientProgram, address], {
        cwd: root,
      });
      expect(JSON.parse(stdout)).to.deep.equal({ listed: 2, addons: [] });
    });
  });
});
