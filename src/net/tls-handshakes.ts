import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../config/types.js';
import type { TlsCredentials, TlsMaterial } from './tls-credentials.js';

/** What may be spoken in TLS, by preference (ALPN). The metrics are for anything that speaks HTTP. */
const protocols: Readonly<Record<ListenerConfig['protocol'], string[]>> = {
  http: ['h2', 'http/1.1'],
  grpc: ['h2'],
  metrics: ['http/1.1'],
};

export interface TlsHandshakesOptions {
  readonly protocol: ListenerConfig['protocol'];
  readonly credentials: TlsCredentials;
  /** How long a handshake may take, in milliseconds, however much of it has come. */
  readonly timeoutMs: number;
  /** Takes a connection when the handshake is done. */
  readonly done: (socket: TLSSocket) => void;
  /** Is told of each handshake that failed; the connection is ended then. */
  readonly failed: (error: Error, socket: TLSSocket) => void;
}

/** Makes TLS connections of accepted ones, always with the certificates that are in force. */
export class TlsHandshakes {
  private current: { readonly material: TlsMaterial; readonly server: Server } | undefined;

  constructor(private readonly options: TlsHandshakesOptions) {}

  start(socket: Socket): void {
    const { material } = this.options.credentials;
    // A new server and not setSecureContext(): whether clients need certificates may have changed, too.
    if (this.current?.material !== material) this.current = { material, server: this.makeServer(material) };
    this.current.server.emit('connection', socket);
  }

  /** A server that doesn't listen: connections are given to it. */
  private makeServer(material: TlsMaterial): Server {
    const { protocol, timeoutMs, done, failed } = this.options;
    const server = createServer({
      ...material,
      minVersion: 'TLSv1.2',
      ALPNProtocols: protocols[protocol],
      handshakeTimeout: timeoutMs,
      // Who the peer is was settled by the handshake.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
    server.on('secureConnection', done);
    server.on('tlsClientError', (error, socket) => {
      failed(error, socket);
      // Node leaves it open where the time is up.
      socket.destroy();
    });
    return server;
  }
}
