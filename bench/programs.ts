import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Options } from './options.js';

/** The programs that are run. Undefined: it isn't installed, or couldn't be built. */
export interface Programs {
  readonly driver: string;
  readonly grpcServer: string;
  readonly delayProxy: string;
  /** The client in test/interop, made of plakar's own modules. */
  readonly klosetClient: string;
  readonly restServer: string | undefined;
  readonly plakar: string | undefined;
  /** The home folder of plakar and its clients: they read and write nothing in the user's. */
  readonly plakarHome: string;
  readonly plakarHasSftp: boolean;
  readonly nginx: string | undefined;
  readonly sshd: boolean;
}

const here = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);

/** Builds programs with Go, into `folder`/bin, and looks for those that are installed. */
export async function findPrograms(options: Options, folder: string): Promise<Programs> {
  const bin = join(folder, 'bin');
  const plakarHome = join(folder, 'home');
  for (const path of [bin, plakarHome]) await mkdir(path, { recursive: true });
  const path = `${join(here, '../node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  await run(join(here, 'driver/generate.sh'), [bin], { env: { ...process.env, PATH: path } });
  const klosetClient = join(bin, 'klosetclient');
  await goBuild(join(here, '../test/interop'), klosetClient, '.');
  const build = (name: string, main: string): Promise<string | undefined> =>
    goBuild(join(here, name), join(bin, name), main).catch(() => undefined);
  const plakar =
    options.plakar === undefined ? await build('plakar', 'github.com/PlakarKorp/plakar') : onPath(options.plakar);
  return {
    driver: join(bin, 'driver'),
    grpcServer: join(bin, 'grpc-server'),
    delayProxy: join(bin, 'delay-proxy'),
    klosetClient,
    restServer: await build('rest-server', 'github.com/restic/rest-server/cmd/rest-server'),
    plakar,
    plakarHome,
    plakarHasSftp: plakar !== undefined && (await preparePlakar(plakar, plakarHome, options.plakarSftp)),
    nginx: onPath('nginx') ?? onPath('/usr/sbin/nginx'),
    sshd: existsSync('/usr/sbin/sshd'),
  };
}

async function goBuild(module: string, program: string, main: string): Promise<string> {
  await run('go', ['build', '-o', program, main], { cwd: module, env: { ...process.env, CGO_ENABLED: '0' } });
  return program;
}

/** Resolves to whether plakar supports SFTP. */
async function preparePlakar(plakar: string, home: string, sftp: string | undefined): Promise<boolean> {
  const env = { ...process.env, HOME: home };
  // Otherwise it would look for updates on the network.
  await run(plakar, ['-disable-security-check'], { env });
  if (sftp === undefined) return false;
  await run(plakar, ['pkg', 'add', resolve(sftp)], { env });
  return true;
}

function onPath(program: string): string | undefined {
  if (program.includes('/')) return existsSync(program) ? resolve(program) : undefined;
  const folder = (process.env['PATH'] ?? '').split(delimiter).find((one) => existsSync(join(one, program)));
  return folder && join(folder, program);
}
