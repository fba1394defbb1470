import { freePort } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import { Server } from './server.js';
import type { GrpcTarget } from './target.js';

/** Starts the server in driver/grpc-server. */
export async function startGrpcGo(bench: Bench, store: string, { fsync = false } = {}): Promise<GrpcTarget> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const name = 'grpc-go';
  const args = ['-listen', address, ...(fsync ? ['-fsync'] : []), store];
  const server = await Server.start(bench, { name, program: bench.programs.grpcServer, args, ports: [port] });
  return { name, server, address };
}
