import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { peerCertificate } from '../auth/certificates.js';
import type { ListenerConfig } from '../config/types.js';
import { plainAddress } from '../lib/ip-address.js';
import { setPeer } from '../core/peer.js';
import { tcpAddress } from './bind.js';
import { handshakeProblem } from './handshake-problem.js';
import type { ListenerOptions } from './listener.js';
import { RateLimitedLog } from '../lib/rate-limited-log.js';
import { TlsHandshakes } from './tls-handshakes.js';

/** How long a connection is idle before TCP keepalive probes it, in milliseconds. */
const keepAliveMs = 60_000;

/** Accepts a listener's connections: limits their number, does TLS handshakes, and records the peer before a frontend gets them. */
export class ConnectionAcceptor {
  private readonly log: RateLimitedLog;
  private closed = false;

  constructor(
    private readonly config: ListenerConfig,
    private readonly options: ListenerOptions,
  ) {
    if (config.tls && options.tls === undefined) throw new Error(`listener ${config.name} needs a TLS certificate`);
    this.log = new RateLimitedLog(options.log);
  }

  /** Closes connections that are still in the handshake when they finish it. */
  close(): void {
    this.closed = true;
  }

  /** Makes a server for one socket of the listener, which isn't listening yet. */
  makeServer(): Server {
    let unix = false;
    const handOver = (socket: Socket): void => this.handOver(socket, unix ? 'unix socket' : socket.remoteAddress);
    const handshakes = this.handshakes(handOver);
    // As in node:http: an HTTP client may end its side of the connection before it has the response.
    const allowHalfOpen = handshakes === undefined && this.config.protocol !== 'grpc';
    const server = createServer({ allowHalfOpen, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    server.once('listening', () => {
      unix = tcpAddress(server) === undefined;
      // For example if there are no file descriptors left. Earlier errors are those of listening.
      server.on('error', (error) => this.warn('accept', {}, `can't accept a connection: ${error.message}`));
    });
    server.on('connection', (socket) => {
      // An error closes the connection. Frontends add their own handlers.
      socket.on('error', () => undefined);
      if (!this.options.connections.add(socket)) this.refuse(socket);
      else if (handshakes === undefined) handOver(socket);
      else handshakes.start(socket);
    });
    return server;
  }

  private handshakes(done: (socket: TLSSocket) => void): TlsHandshakes | undefined {
    const { config, options } = this;
    if (!config.tls || options.tls === undefined) return undefined;
    return new TlsHandshakes({
      protocol: config.protocol,
      credentials: options.tls,
      timeoutMs: options.handshakeTimeoutMs,
      done,
      failed: (error, socket) => this.reportFailed(error, socket),
    });
  }

  /** @param address undefined if the connection is closed already */
  private handOver(socket: Socket | TLSSocket, address: string | undefined): void {
    if (this.closed || address === undefined) return void socket.destroy();
    socket.on('error', () => undefined);
    try {
      const certificate = 'encrypted' in socket ? peerCertificate(socket) : undefined;
      setPeer(socket, {
        listener: this.config.name,
        address: plainAddress(address),
        ...(certificate && { certificate }),
      });
      this.options.accept(socket);
    } catch (error) {
      // One client must not cause an error that ends the process.
      socket.destroy();
      this.warn('handover', { err: error }, `can't serve a connection: ${error instanceof Error ? error.message : ''}`);
    }
  }

  private refuse(socket: Socket): void {
    socket.destroy();
    const { max } = this.options.connections;
    this.warn('full', { max }, `refused a connection: the limit of ${max} connections is reached`);
  }

  private reportFailed(error: Error, socket: TLSSocket): void {
    const problem = handshakeProblem(error, socket);
    if (problem === undefined) return;
    const caller = plainAddress(socket.remoteAddress ?? '');
    this.warn('handshake', { caller, problem }, `a TLS handshake${caller && ` with ${caller}`} failed: ${problem}`);
  }

  /** Rate-limited, since anyone can cause these warnings. */
  private warn(kind: string, fields: object, message: string): void {
    const listener = this.config.name;
    this.log.warn(kind, { listener, ...fields }, `listener ${listener}: ${message}`);
  }
}

/** Counts the open connections of all listeners, and limits them. */
export class ConnectionCount {
  /** How many connections are open. */
  current = 0;

  /** @param max how many connections are accepted; a change applies to new ones */
  constructor(public max: number) {}

  /** Counts a new connection until it closes. Returns false, without counting it, if the limit is reached. */
  add(socket: Socket): boolean {
    if (this.current >= this.max) return false;
    this.current++;
    socket.once('close', () => this.current--);
    return true;
  }
}
