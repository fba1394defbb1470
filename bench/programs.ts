import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Options } from './options.js';

/** Programs that take part. Those that may be missing are undefined where they are. */
export interface Programs {
  readonly driver: string;
  readonly grpcServer: string;
  /** plakar's client in miniature, which the tests have. */
  readonly klosetClient: string;
  readonly restServer: string | undefined;
  readonly plakar: string | undefined;
  /** A home for plakar, so that it finds and leaves nothing in the user's. */
  readonly plakarHome: string;
  readonly plakarHasSftp: boolean;
  readonly nginx: string | undefined;
  readonly sshd: boolean;
}

const here = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);

/** Looks for what is installed, and builds the rest with Go. */
export async function findPrograms(options: Options, folder: string): Promise<Programs> {
  const bin = join(folder, 'bin');
  const plakarHome = join(folder, 'home');
  for (const path of [bin, plakarHome]) await mkdir(path, { recursive: true });
  const path = `${join(here, '../node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  await run(join(here, 'driver/generate.sh'), [bin], { env: { ...process.env, PATH: path } });
  const klosetClient = join(bin, 'klosetclient');
  await goBuild(join(here, '../test/interop'), klosetClient, '.');

  const restServer = await goBuild(
    join(here, 'rest-server'),
    join(bin, 'rest-server'),
    'github.com/restic/rest-server/cmd/rest-server',
  ).catch(() => undefined);
  const plakar = onPath(options.plakar);
  const nginx = onPath('nginx') ?? onPath('/usr/sbin/nginx');
  const sshd = existsSync('/usr/sbin/sshd');
  const plakarHasSftp = plakar !== undefined && (await preparePlakar(plakar, plakarHome, options.plakarSftp));

  const driver = join(bin, 'driver');
  const grpcServer = join(bin, 'grpc-server');
  return { driver, grpcServer, klosetClient, restServer, plakar, plakarHome, plakarHasSftp, nginx, sshd };
}

async function goBuild(module: string, program: string, main: string): Promise<string> {
  await run('go', ['build', '-o', program, main], { cwd: module, env: { ...process.env, CGO_ENABLED: '0' } });
  return program;
}

/** Resolves to whether it speaks SFTP. */
async function preparePlakar(plakar: string, home: string, sftp: string | undefined): Promise<boolean> {
  const env = { ...process.env, HOME: home };
  // It would ask on the network, at its first start.
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
