import { mkdir, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { freePort } from '../../test/support/sshd.js';
import { root, type Bench } from '../bench.js';
import { gatewayName, type NodeProgram } from '../nodes.js';
import { Server } from './server.js';
import { plakarsPaths, type GrpcTarget, type HttpTarget } from './target.js';

export interface GatewayOptions {
  /** What distinguishes it from the case's other gateways; it becomes a part of its name. */
  readonly variant?: string | undefined;
  readonly tls?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts the gateway as users do, by its launcher and with its defaults: it logs each request, here into a file.
 * @param args what follows `serve`: a location, options
 */
export async function startGateway(
  bench: Bench,
  node: NodeProgram,
  args: readonly string[],
  { variant, tls = false, env = {} }: GatewayOptions = {},
): Promise<HttpTarget & GrpcTarget> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const [address, grpcAddress] = [`127.0.0.1:${port}`, `127.0.0.1:${grpcPort}`];
  const { nodeArgs, gatewayArgs } = bench.options;
  const name = gatewayName(node, variant);
  const listen = ['--listen', address, '--grpc-listen', grpcAddress];
  const { cert, key } = bench.certificate;
  const certificate = tls ? ['--cert', cert, '--key', key] : [];
  // The launcher's options for Node can't be replaced, so it is left out where there are others.
  const direct = nodeArgs.length > 0;
  const server = await Server.start(bench, {
    name,
    program: direct ? node.path : join(root, 'bin/kloset-gateway'),
    args: [
      ...(direct ? [...nodeArgs, join(root, 'dist/src/main.js')] : []),
      'serve',
      ...args,
      ...listen,
      ...certificate,
      ...gatewayArgs,
    ],
    env: { ...env, PATH: `${await folderOf(bench, node)}${delimiter}${process.env['PATH'] ?? ''}` },
    ports: [port, grpcPort],
  });
  return { name, server, http: plakarsPaths(bench, address, { tls }), address: grpcAddress };
}

/** A folder in which this Node is called `node`, since the launcher runs the first one on PATH. */
async function folderOf(bench: Bench, { major, path }: NodeProgram): Promise<string> {
  const folder = join(bench.folder, 'bin', `node-${major}`);
  await mkdir(folder, { recursive: true });
  await symlink(path, join(folder, 'node')).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  return folder;
}
