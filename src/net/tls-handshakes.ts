import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../config/types.js';
import type { TlsCredentials, TlsMaterial } from './tls-credentials.js';

/**
 * The protocols that are negotiated in TLS (ALPN), in order of preference. HTTP/2 comes first: by HTTP/1.1 plakar's
 * client makes connection after connection, and checks and restores take a third longer.
 * The status page and the metrics are served over HTTP/1.1 only.
 */
const protocols: Readonly<Record<ListenerConfig['protocol'], string[]>> = {
  http: ['h2', 'http/1.1'],
  grpc: ['h2'],
  admin: ['http/1.1'],
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

const sentence = 'this port speaks TLS: use https:// instead of http://\n';

/** What a client gets that sends HTTP without TLS. */
const plainHttpAnswer = [
  'HTTP/1.1 400 Bad Request',
  'Connection: close',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${sentence.length}`,
  '',
  sentence,
].join('\r\n');

/** How long such a client may take to read it, in milliseconds. */
const lingerMs = 1000;

/** Does TLS handshakes on accepted connections, with the current certificates. */
export class TlsHandshakes {
  private current: { readonly material: TlsMaterial; readonly server: Server } | undefined;
  /** The open connections below TLS. */
  private readonly sockets = new Set<Socket>();

  constructor(private readonly options: TlsHandshakesOptions) {}

  start(socket: Socket): void {
    const { material } = this.options.credentials;
    // A new server instead of setSecureContext(), since that can't change whether clients need certificates.
    if (this.current?.material !== material) this.current = { material, server: this.makeServer(material) };
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
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
      const isPlainHttp = protocol !== 'grpc' && 'code' in error && error.code === 'ERR_SSL_HTTP_REQUEST';
      const below = isPlainHttp ? this.socketBelow(socket) : undefined;
      // Node leaves the connection open after a timeout.
      if (below === undefined) return void socket.destroy();
      below.end(plainHttpAnswer);
      const linger = setTimeout(() => socket.destroy(), lingerMs);
      below.once('close', () => clearTimeout(linger));
    });
    return server;
  }

  /** The connection of a handshake; undefined for unix sockets, which have no address to tell them apart. */
  private socketBelow({ remoteAddress, remotePort }: TLSSocket): Socket | undefined {
    if (remotePort === undefined) return undefined;
    return [...this.sockets].find((each) => each.remotePort === remotePort && each.remoteAddress === remoteAddress);
  }
}
