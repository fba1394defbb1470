import { expect } from 'chai';
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { fixtureStore, tempFolder } from '../support/temp.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** What each example prints, whatever its language. */
const transcript =
  /^listed (\d+) packfiles\nread 16 bytes: _KLOSET_\nwrote (\d+) bytes, created: true\nrefused: not allowed to delete packfiles: .* needs full.*\n$/;

/** What has to be there to build an example, and how it is started when it is built. */
const examples = {
  go: { needs: ['go', 'version'], command: ['./client'] },
  python: { needs: ['python3', '-c', 'import venv, ensurepip'], command: ['.venv/bin/python', 'client.py'] },
} as const;

describe('the example clients of our own API', function () {
  this.timeout(600_000);
  let gateway: TestGateway;

  before(async () => {
    gateway = await startTestGateway(await fixtureStore('v1.1-plaintext/store-two-snapshots'), { 'allow-write': true });
  });

  after(() => gateway?.close());

  for (const [language, { needs, command }] of Object.entries(examples)) {
    it(`${language}: is generated and built, lists, reads a range, writes, and is refused a delete`, async function () {
      const [tool, ...args] = needs;
      if (spawnSync(tool, args).status !== 0) {
        if (process.env['CI']) throw new Error(`there is no ${tool} to build the example with`);
        this.skip();
      }
      const cwd = await copyOf(language);
      await run('sh', ['generate.sh'], {
        cwd,
        env: { ...process.env, CGO_ENABLED: '0', PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}` },
      });
      const [program, ...rest] = command;
      const { stdout } = await run(join(cwd, program), [...rest, `127.0.0.1:${gateway.grpcPort}`], { cwd });
      expect(stdout).to.match(transcript);
    });
  }

  it('typescript: works with the client that the package exports', async () => {
    await run('npm', ['run', '--silent', 'build'], { cwd: root });
    const program = join(root, 'examples/clients/typescript/client.ts');
    const address = `127.0.0.1:${gateway.grpcPort}`;
    const { stdout } = await run(process.execPath, ['--import', 'tsx', program, address], { cwd: root });
    expect(stdout).to.match(transcript);
  });
});

/** An example and the proto files where it looks for them, in a folder of their own. Resolves to the example's. */
async function copyOf(language: string): Promise<string> {
  const folder = await tempFolder();
  const example = join(folder, 'examples/clients', language);
  await mkdir(example, { recursive: true });
  await cp(join(root, 'examples/clients', language), example, {
    recursive: true,
    filter: (path) => !/\/(gen|\.venv|client)$/.test(path),
  });
  await cp(join(root, 'proto'), join(folder, 'proto'), { recursive: true });
  return example;
}
