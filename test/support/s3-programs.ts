import { execFile, spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempFolder } from './temp.js';

/** versitygw keeps a bucket as a folder; gofakes3 keeps it in memory, and ignores the condition of a Complete. */
export type ServerProgram = 'versitygw' | 'gofakes3' | 'minio';

/** The credentials that all of them know. */
export const access = { accessKeyId: 'test', secretAccessKey: 'testtest123' };

/** Whether tests on MinIO are asked for; it is found in the PATH. */
export const testsMinio = process.env['S3_TEST_MINIO'] === '1';

interface Serving {
  /** On 127.0.0.1. */
  readonly port: number;
  /** The folder of the buckets. */
  readonly root: string;
  /** Whether buckets can keep versions. */
  readonly versions: boolean;
}

/** The command that runs a server. The program is built where it isn't yet. */
export async function commandOf(program: ServerProgram, serving: Serving): Promise<readonly string[]> {
  return [await pathOf(program), ...(await argumentsOf[program](serving))];
}

/** Whether there is Go to build the programs with. */
export function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0;
}

const argumentsOf = {
  versitygw: async ({ port, root, versions }: Serving) => {
    const server = ['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet'];
    const keys = ['--access', access.accessKeyId, '--secret', access.secretAccessKey];
    return [...server, ...keys, 'posix', ...(versions ? ['--versioning-dir', await tempFolder()] : []), root];
  },
  gofakes3: async ({ port }: Serving) => ['-host', `127.0.0.1:${port}`, '-backend', 'mem', '-quiet'],
  minio: async ({ port, root }: Serving) => ['server', '--quiet', '--address', `127.0.0.1:${port}`, root],
} satisfies Record<ServerProgram, (serving: Serving) => Promise<string[]>>;

let built: Promise<string> | undefined;

async function pathOf(program: ServerProgram): Promise<string> {
  if (program !== 'minio') return join(await (built ??= build()), program);
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  const path = paths.find((each) => spawnSync(each, ['--version']).status === 0);
  if (path === undefined) throw new Error('S3_TEST_MINIO is set, and there is no minio in the PATH');
  return path;
}

/** Resolves to the folder of the programs. */
async function build(): Promise<string> {
  const script = fileURLToPath(new URL('../../scripts/s3-servers', import.meta.url));
  return (await promisify(execFile)(script)).stdout.trim();
}
