import { execFile, spawnSync } from 'node:child_process';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KlosetClient, type ClientOptions } from './klosetclient.js';
import { program as programArgs } from './program.js';
import { tempFolder } from './temp.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'test/interop');
const added = join(root, 'test/interop-grpc');

/**
 * Builds the client in test/interop, once, with what is in test/interop-grpc added: plakar's own client of its gRPC protocol. In CI
 * it fails where there is no Go; elsewhere the tests are skipped. Gives what makes a client of `grpc://HOST:PORT/STORE`, or of
 * `plugin://LOCATION`, which runs the plugin of this package.
 */
export function grpcKlosetClients(): (location: string, options?: ClientOptions) => KlosetClient {
  let program = '';
  let temporary = '';
  before('build the client', async function () {
    this.timeout(600_000);
    if (spawnSync('go', ['version']).status !== 0) {
      if (process.env['CI']) throw new Error('there is no go to build test/interop-grpc with');
      this.skip();
    }
    program = await (built ??= build());
    temporary = await tempFolder();
  });
  return (location, options = {}) => new KlosetClient(program, temporary, location, options);
}

let built: Promise<string> | undefined;

/** One program of two folders: to the compiler, the added files are in the folder of the others. Resolves to the path of what runs it. */
async function build(): Promise<string> {
  const program = join(await tempFolder(), 'klosetclient-grpc');
  const files = (await readdir(added)).filter((name) => name.endsWith('.go'));
  const overlay = `${program}.overlay.json`;
  const replace = Object.fromEntries(files.map((name) => [join(main, name), join(added, name)]));
  await writeFile(overlay, JSON.stringify({ Replace: replace }));
  await promisify(execFile)(
    'go',
    ['build', `-modfile=${join(added, 'go.mod')}`, `-overlay=${overlay}`, '-o', program, '.'],
    { cwd: main, env: { ...process.env, CGO_ENABLED: '0' } },
  );
  const args = programArgs.map((each) => `"${each}"`).join(' ');
  const plugin = await script('bridge', `exec "${process.execPath}" ${args} plugin`);
  return script('client', `KLOSET_PLUGIN="${plugin}" exec "${program}" "$@"`);
}

/** Writes a shell script of one command. Resolves to its path. */
async function script(name: string, command: string): Promise<string> {
  const path = join(await tempFolder(), name);
  await writeFile(path, `#!/bin/sh\n${command}\n`);
  await chmod(path, 0o755);
  return path;
}
