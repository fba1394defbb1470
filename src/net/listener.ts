import type { Socket } from 'node:net';
import type { ListenerConfig } from '../config/types.js';
import type { ListenAddress } from '../core/address.js';
import type { Logger } from '../lib/logger.js';
import type { ActivatedSockets } from './activation.js';
import { bind } from './bind.js';
import type { ConnectionCount } from './connection-count.js';
import { Entrance } from './entrance.js';
import type { TlsCredentials } from './tls-credentials.js';
import type { UnixSocketPlaces } from './unix-socket.js';

export interface ListenerOptions {
  /** For a listener with TLS. */
  readonly tls: TlsCredentials | undefined;
  /** How long a TLS handshake may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Of all listeners together. */
  readonly connections: ConnectionCount;
  /** What systemd passed on. */
  readonly activated: ActivatedSockets;
  /** Who puts unix sockets into their places; undefined: this process. */
  readonly unixSockets?: UnixSocketPlaces | undefined;
  /** Takes a connection, after its TLS handshake if there is one. `peerOf` knows its other end. */
  readonly accept: (socket: Socket) => void;
  readonly log: Logger;
}

export interface Listener {
  readonly config: ListenerConfig;
  /** Where it listens, for instance at two addresses for `localhost`; ports are the real ones. */
  readonly addresses: readonly ListenAddress[];
  /** Whether only this machine can reach it: told from the open sockets, and not from their names. */
  readonly localOnly: boolean;
  /** Stops listening. Connections that `accept` took stay as they are. */
  close(): Promise<void>;
}

/** Listens as configured. Fails with a message for the operator, and with nothing left open. */
export async function openListener(config: ListenerConfig, options: ListenerOptions): Promise<Listener> {
  const entrance = new Entrance(config, options);
  const bound = await bind(config, options.activated, () => entrance.makeServer(), options.unixSockets);
  return {
    config,
    addresses: bound.map(({ address }) => address),
    localOnly: bound.every(({ localOnly }) => localOnly),
    close: async () => {
      entrance.close();
      await Promise.all(bound.map((each) => each.close()));
    },
  };
}
