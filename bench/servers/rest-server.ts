import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import { Server } from './server.js';
import type { HttpTarget } from './target.js';

/**
 * Starts restic's server on a store's packfiles, which are in folders as its own blobs are. Resolves to undefined where it couldn't
 * be built.
 */
export async function startRestServer(bench: Bench, store: string): Promise<HttpTarget | undefined> {
  const { restServer } = bench.programs;
  if (restServer === undefined) return undefined;
  const folder = bench.newPath('rest');
  await mkdir(folder);
  await symlink(join(store, 'packfiles'), join(folder, 'data'));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const server = await Server.start(bench, {
    name: 'rest-server',
    program: restServer,
    // The gateway can't verify names either: a packfile's isn't the hash of its bytes.
    args: ['--no-auth', '--no-verify-upload', '--path', folder, '--listen', address],
    ports: [port],
  });
  return {
    name: 'rest-server',
    server,
    http: { address, prefix: '/data/', list: '/data/', inclusive: true, method: 'POST' },
  };
}
