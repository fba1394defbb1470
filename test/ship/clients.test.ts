import { expect } from 'chai';
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transcript } from '../clients/transcript.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { fixtureStore, tempFolder } from '../support/temp.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Example {
  /** A command that succeeds where there is what the example is built with. */
  readonly needs: readonly [string, ...string[]];
  /** The command that runs the example when it is built; the gateway's address is its last argument. */
  readonly command: readonly [string, ...string[]];
}

const examples: Record<string, Example> = {
  go: { needs: ['go', 'version'], command: ['./client'] },
  java: {
    needs: ['mvn', '--version'],
    command: ['java', '-cp', 'target/classes:target/dependency/*', 'org.example.kloset.Client'],
  },
  python: {
    needs: ['python3', '-c', 'import venv, ensurepip'],
    command: ['.venv/bin/python', 'client.py'],
  },
  rust: { needs: ['cargo', '--version'], command: ['cargo', 'run', '--quiet', '--locked'] },
};

describe('the example clients in other languages', function () {
  this.timeout(600_000);
  let gateway: TestGateway;

  before(async () => {
    gateway = await startTestGateway(await fixtureStore('v1.1-plaintext/store-two-snapshots'), { 'allow-write': true });
  });

  after(() => gateway?.close());

  for (const [language, { needs, command }] of Object.entries(examples)) {
    it(`${language}: is generated and built, lists, reads a range, writes, and is refused a delete`, async function () {
      const [tool, ...toolArguments] = needs;
      if (spawnSync(tool, toolArguments).status !== 0) {
        if (process.env['CI']) throw new Error(`there is no ${tool} to build the example with`);
        this.skip();
      }
      const cwd = await copyOf(language);
      await run('nice', ['sh', 'generate.sh'], {
        cwd,
        env: { ...process.env, CGO_ENABLED: '0', PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}` },
      });
      const [program, ...rest] = command;
      const { stdout } = await run(program, [...rest, `127.0.0.1:${gateway.grpcPort}`], { cwd });
      expect(stdout).to.match(transcript);
    });
  }
});

/** An example and the proto files where it looks for them, in a folder of their own. Resolves to the example's. */
async function copyOf(language: string): Promise<string> {
  const folder = await tempFolder();
  const example = join(folder, 'examples/clients', language);
  await mkdir(example, { recursive: true });
  await cp(join(root, 'examples/clients', language), example, {
    recursive: true,
    filter: (path) => !/\/(gen|\.venv|client|target)$/.test(path),
  });
  await cp(join(root, 'proto'), join(folder, 'proto'), { recursive: true });
  return example;
}
