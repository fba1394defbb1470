import type { AddressInfo, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ListenerConfig } from '../config/types.js';
import { formatAddress, type ListenAddress } from '../core/address.js';
import { isLoopback } from '../lib/ip-address.js';
import type { ActivatedSockets } from './activation.js';
import { listenOn } from './listen-on.js';
import { listenOnUnixSocket, type SocketPublisher } from './unix-socket.js';

/** A server that is listening. */
export interface Bound {
  /** With the actual port. A unix socket passed by systemd has its name. */
  readonly address: ListenAddress;
  /** Whether only this machine can reach it, according to the open socket. */
  readonly localOnly: boolean;
  /** Stops accepting. Accepted connections stay open. */
  close(): Promise<void>;
}

/**
 * Makes servers listen on an address: `localhost` stands for both 127.0.0.1 and ::1 if they exist, with the same port, and an empty
 * host for every address of the machine. There is a server for each socket. Fails with a message for the operator, and leaves
 * nothing open.
 *
 * @param publisher of unix sockets; default: this process
 */
export async function bind(
  config: Pick<ListenerConfig, 'address' | 'mode' | 'owner'>,
  activated: ActivatedSockets,
  makeServer: () => Server,
  publisher?: SocketPublisher,
): Promise<Bound[]> {
  const { address } = config;
  const bound: Bound[] = [];
  try {
    if ('path' in address) {
      bound.push(await bindPath({ ...config, path: address.path }, makeServer(), publisher));
    } else if ('systemd' in address) {
      for (const { fd, name } of activated.take(address.systemd)) {
        bound.push(await bindSocket({ fd }, (real) => real ?? { systemd: name }, makeServer()));
      }
    } else {
      let { port } = address;
      for (const host of hostsOf(address.host)) {
        const each = await bindSocket({ host, port }, (real) => ({ host, port: real?.port ?? port }), makeServer());
        bound.push(each);
        // If the port is chosen by the system, all addresses use the first one chosen.
        if ('port' in each.address) port = each.address.port;
      }
    }
    return bound;
  } catch (error) {
    await Promise.all(bound.map((each) => each.close()));
    throw new Error(`can't listen on ${formatAddress(address)}: ${reasonOf(error)}`, { cause: error });
  }
}

async function bindPath(
  options: Parameters<typeof listenOnUnixSocket>[1],
  server: Server,
  publisher: SocketPublisher | undefined,
): Promise<Bound> {
  const remove = await listenOnUnixSocket(server, options, publisher);
  return {
    address: { path: options.path },
    localOnly: true,
    close: async () => {
      server.close();
      await remove();
    },
  };
}

/** @param name makes the reported address from the actual one, which is undefined for unix sockets */
async function bindSocket(
  target: Parameters<typeof listenOn>[1],
  name: (real: { host: string; port: number } | undefined) => ListenAddress,
  server: Server,
): Promise<Bound> {
  await listenOn(server, target);
  const real = tcpAddress(server);
  return {
    address: name(real && { host: real.address, port: real.port }),
    localOnly: real === undefined || isLoopback(real.address),
    close: async () => void server.close(),
  };
}

/** The address of a server; undefined for a unix socket. */
export function tcpAddress(server: Server): AddressInfo | undefined {
  const address = server.address();
  // A unix socket has its path here, or null if it was passed as a descriptor.
  return typeof address === 'string' || address === null ? undefined : address;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isTaken = 'code' in error && error.code === 'EADDRINUSE' && 'port' in error;
  return isTaken ? 'another program has this port: choose another one with --listen or --grpc-listen' : error.message;
}

function hostsOf(host: string): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  if (host === '') return addresses.some(({ family }) => family === 'IPv6') ? ['::'] : ['0.0.0.0'];
  if (host !== 'localhost') return [host];
  return addresses.some(({ address }) => address === '::1') ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}
