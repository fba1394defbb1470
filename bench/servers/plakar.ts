import { freePort } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import { Server } from './server.js';
import { plakarsPaths, stopAll, type HttpTarget } from './target.js';

export interface PlakarOptions {
  readonly tls?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts plakar's server. Resolves to undefined where plakar isn't there. */
export async function startPlakar(
  bench: Bench,
  location: string,
  { tls = false, env = {} }: PlakarOptions = {},
): Promise<HttpTarget | undefined> {
  const { plakar } = bench.programs;
  if (plakar === undefined) return undefined;
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const { cert, key } = bench.certificate;
  const certificate = tls ? ['-cert', cert, '-key', key] : [];
  const server = await Server.start(bench, {
    name: 'plakar',
    program: plakar,
    args: ['at', location, 'server', '-listen', address, '-allow-delete', ...certificate],
    env,
    ports: [port],
  });
  const target = { name: 'plakar', server, http: plakarsPaths(bench, address, { tls }) };
  // It opens its store at the first `GET /`: before that, reads fail and writes go to its working folder.
  const open = { mode: 'list', client: 'raw', ...target.http, list: '/', connections: 1, ops: 1, count: 0 } as const;
  try {
    await bench.drive(open);
  } catch (error) {
    await stopAll([target]);
    throw error;
  }
  return target;
}
