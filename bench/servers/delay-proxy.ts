import { freePort } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import { Server } from './server.js';

/** A TCP proxy in front of a server, which becomes distant for those who connect here instead. */
export interface DelayProxy {
  readonly server: Server;
  readonly port: number;
  readonly address: string;
}

/** @param roundTripMs how much longer a round trip takes through it */
export async function startDelayProxy(bench: Bench, target: string, roundTripMs: number): Promise<DelayProxy> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const server = await Server.start(bench, {
    name: 'delay-proxy',
    program: bench.programs.delayProxy,
    args: ['-listen', address, '-target', target, '-delay', `${roundTripMs / 2}ms`],
    ports: [port],
  });
  return { server, port, address };
}
