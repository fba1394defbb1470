import type { Socket } from 'node:net';
import type { ListenerConfig } from '../../../src/config/types.js';
import { formatAddress, type ListenAddress } from '../../../src/core/address.js';
import { peerOf } from '../../../src/core/peer.js';
import { ActivatedSockets } from '../../../src/net/activation.js';
import { ConnectionCount } from '../../../src/net/connection-acceptor.js';
import { openListener, type Listener, type ListenerOptions } from '../../../src/net/listener.js';

export interface TestListener {
  readonly listener: Listener;
  /** The port of its first address. */
  readonly port: number;
  /** The connections that it has handed over. */
  readonly accepted: Socket[];
  /** The texts of its warnings. */
  readonly warnings: string[];
  /** Stops listening, and closes all connections. */
  close(): Promise<void>;
}

/**
 * Opens a listener, by default for HTTP on a free port of 127.0.0.1. Each connection gets a line with its peer as JSON, and then an
 * echo of what it sends.
 */
export async function startListener(
  config: Partial<ListenerConfig> = {},
  options: Partial<ListenerOptions> = {},
): Promise<TestListener> {
  const accepted: Socket[] = [];
  const warnings: string[] = [];
  const address = config.address ?? { host: '127.0.0.1', port: 0 };
  const listener = await openListener(
    {
      name: formatAddress(address),
      protocol: 'http',
      address,
      maxAccess: 'full',
      tls: options.tls !== undefined,
      mode: undefined,
      owner: undefined,
      ...config,
    },
    {
      tls: undefined,
      handshakeTimeoutMs: 10_000,
      connections: new ConnectionCount(100),
      activated: new ActivatedSockets([]),
      accept: (socket) => {
        accepted.push(socket);
        socket.write(`${JSON.stringify(peerOf(socket))}\n`);
        socket.pipe(socket);
      },
      log: { info: () => undefined, warn: (_fields, message) => warnings.push(message), error: () => undefined },
      ...options,
    },
  );
  return {
    listener,
    port: portOf(listener.addresses[0]),
    accepted,
    warnings,
    close: async () => {
      await listener.close();
      for (const socket of accepted) socket.destroy();
    },
  };
}

function portOf(address: ListenAddress | undefined): number {
  return address !== undefined && 'port' in address ? address.port : NaN;
}
