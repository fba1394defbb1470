import { freePort } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import { Server } from './server.js';
import { plakarsPaths, type HttpTarget } from './target.js';

/** plakar's server. Undefined where there is no plakar. */
export async function startPlakar(
  bench: Bench,
  location: string,
  env: Readonly<Record<string, string>> = {},
): Promise<HttpTarget | undefined> {
  const { plakar } = bench.programs;
  if (plakar === undefined) return undefined;
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const server = await Server.start(bench, {
    name: 'plakar',
    program: plakar,
    args: ['at', location, 'server', '-listen', address, '-allow-delete'],
    env,
    ports: [port],
  });
  // Before the first of these its store isn't open: reads fail, and writes land elsewhere.
  const answer = await fetch(`http://${address}/`);
  if (!answer.ok) throw new Error(`plakar's server answers ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
  return { name: 'plakar', server, http: plakarsPaths(address) };
}
