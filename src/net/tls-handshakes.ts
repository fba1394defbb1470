import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../config/types.js';
import type { TlsCredentials, TlsMaterial } from './tls-credentials.js';

/**
 * The protocols that are negotiated in TLS (ALPN), in order of preference. HTTP/2 comes first: by HTTP/1.1 plakar's
 * client makes connection after connection, and checks and restores take a third longer.
 * Metrics are served over HTTP/1.1 only.
 */
const protocols: Readonly<Record<ListenerConfig['protocol'], string[]>> = {
  http: ['h2', 'http/1.1'],
  grpc: ['h2'],
  metrics: ['http/1.1'],
};

export interface TlsHandshakesOptions {
  readonly protocol: ListenerConfig['protocol'];
  readonly credentials: TlsCredentials;
  /** The timeout of the whole handshake, in milliseconds. */
  readonly timeoutMs: number;
  /** Called with each connection whose handshake has succeeded. */
  readonly done: (socket: TLSSocket) => void;
  /** Called for each handshake that has failed, before the connection is closed. */
  readonly failed: (error: Error, socket: TLSSocket) => void;
}

/** Does TLS handshakes on accepted connections, with the current certificates. */
export class TlsHandshakes {
  private current: { readonly material: TlsMaterial; readonly server: Server } | undefined;

  constructor(private readonly options: TlsHandshakesOptions) {}

  start(socket: Socket): void {
    const { material } = this.options.credentials;
    // A new server instead of setSecureContext(), since that can't change whether clients need certificates.
    if (this.current?.material !== material) this.current = { material, server: this.makeServer(material) };
    this.current.server.emit('connection', socket);
  }

  /** A server that doesn't listen: it gets connections by events. */
  private makeServer(material: TlsMaterial): Server {
    const { protocol, timeoutMs, done, failed } = this.options;
    const server = createServer({
      ...material,
      minVersion: 'TLSv1.2',
      ALPNProtocols: protocols[protocol],
      handshakeTimeout: timeoutMs,
      // The peer's identity must not change after the handshake.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
    server.on('secureConnection', done);
    server.on('tlsClientError', (error, socket) => {
      failed(error, socket);
      // Node leaves the connection open after a timeout.
      socket.destroy();
    });
    return server;
  }
}
