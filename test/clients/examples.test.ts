import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { fixtureStore } from '../support/temp.js';
import { transcript } from './transcript.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/* The examples in other languages depend on no version of Node: test/ship/clients.test.ts has them. */
describe('the example client in TypeScript', function () {
  this.timeout(600_000);
  let gateway: TestGateway;

  before(async () => {
    gateway = await startTestGateway(await fixtureStore('v1.1-plaintext/store-two-snapshots'), { 'allow-write': true });
  });

  after(() => gateway?.close());

  it('works with the client that the package exports', async () => {
    await run('npm', ['run', '--silent', 'build'], { cwd: root });
    const program = join(root, 'examples/clients/typescript/client.ts');
    const address = `127.0.0.1:${gateway.grpcPort}`;
    const { stdout } = await run(process.execPath, ['--import', 'tsx', program, address], { cwd: root });
    expect(stdout).to.match(transcript);
  });
});
