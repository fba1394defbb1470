import { join } from 'node:path';
import { freePort } from '../../test/support/sshd.js';
import { root, type Bench } from '../bench.js';
import { Server } from './server.js';
import { plakarsPaths, type GrpcTarget, type HttpTarget } from './target.js';

export interface GatewayOptions {
  /** Default: gateway. */
  readonly name?: string;
  readonly args?: readonly string[];
}

/** Our own server, as `npm run build` made it, with its defaults: it logs each request, to a file here. */
export async function startGateway(
  bench: Bench,
  location: string,
  { name = 'gateway', args = [] }: GatewayOptions = {},
): Promise<HttpTarget & GrpcTarget> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const [address, grpcAddress] = [`127.0.0.1:${port}`, `127.0.0.1:${grpcPort}`];
  const { nodeArgs, gatewayArgs } = bench.options;
  // With flags for Node of one's own, those that the launcher sets are up to oneself.
  const isBare = nodeArgs.length === 0;
  const start = isBare ? [] : [...nodeArgs, join(root, 'dist/src/main.js')];
  const listen = ['--listen', address, '--grpc-listen', grpcAddress];
  const server = await Server.start(bench, {
    name,
    program: isBare ? join(root, 'bin/kloset-gateway') : process.execPath,
    args: [...start, 'serve', location, ...listen, ...args, ...gatewayArgs],
    ports: [port, grpcPort],
  });
  return { name, server, http: plakarsPaths(address), address: grpcAddress };
}
