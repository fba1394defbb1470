import type { Socket } from 'node:net';
import type { ListenerConfig } from '../config/types.js';
import type { ListenAddress } from '../core/address.js';
import type { Logger } from '../lib/logger.js';
import type { ActivatedSockets } from './activation.js';
import { bind } from './bind.js';
import { ConnectionAcceptor, type ConnectionCount } from './connection-acceptor.js';
import type { TlsCredentials } from './tls-credentials.js';
import type { SocketPublisher } from './unix-socket.js';

export interface ListenerOptions {
  /** For a listener with TLS. */
  readonly tls: TlsCredentials | undefined;
  /** How long a TLS handshake may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Of all listeners together. */
  readonly connections: ConnectionCount;
  /** The sockets passed by systemd. */
  readonly activated: ActivatedSockets;
  /** Creates and removes unix sockets; default: this process. */
  readonly unixSockets?: SocketPublisher | undefined;
  /** Takes a connection, after the TLS handshake if there is one. `peerOf` returns its peer. */
  readonly accept: (socket: Socket) => void;
  readonly log: Logger;
}

export interface Listener {
  readonly config: ListenerConfig;
  /** The addresses, of which `localhost` has two, with the actual ports. */
  readonly addresses: readonly ListenAddress[];
  /** Whether only this machine can reach it, according to the open sockets. */
  readonly localOnly: boolean;
  /** Stops listening. Connections given to `accept` stay open. */
  close(): Promise<void>;
}

/** Listens as configured. Fails with a message for the operator, and leaves nothing open. */
export async function openListener(config: ListenerConfig, options: ListenerOptions): Promise<Listener> {
  const acceptor = new ConnectionAcceptor(config, options);
  const bound = await bind(config, options.activated, () => acceptor.makeServer(), options.unixSockets);
  return {
    config,
    addresses: bound.map(({ address }) => address),
    localOnly: bound.every(({ localOnly }) => localOnly),
    close: async () => {
      acceptor.close();
      await Promise.all(bound.map((each) => each.close()));
    },
  };
}
