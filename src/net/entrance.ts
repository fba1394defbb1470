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

/** A connection on which nothing comes for so long is asked whether the other end is still there. In milliseconds. */
const keepAliveMs = 60_000;

/** What happens to a listener's connections from when they come until a frontend has them. */
export class Entrance {
  private readonly log: RateLimitedLog;
  private closed = false;

  constructor(
    private readonly config: ListenerConfig,
    private readonly options: ListenerOptions,
  ) {
    if (config.tls && options.tls === undefined) throw new Error(`listener ${config.name} needs a TLS certificate`);
    this.log = new RateLimitedLog(options.log);
  }

  /** Lets nobody in who is still at the handshake. */
  close(): void {
    this.closed = true;
  }

  /** A server for one socket of the listener, which doesn't listen yet. */
  makeServer(): Server {
    let unix = false;
    const enter = (socket: Socket): void => this.enter(socket, unix ? 'unix socket' : socket.remoteAddress);
    const handshakes = this.handshakes(enter);
    // Like Node's own servers: in plain HTTP, a client may say that it sends no more while its answer is on its way.
    const allowHalfOpen = handshakes === undefined && this.config.protocol !== 'grpc';
    const server = createServer({ allowHalfOpen, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    server.once('listening', () => {
      unix = tcpAddress(server) === undefined;
      // Out of file descriptors, for instance. Before it listens, errors are those of listening.
      server.on('error', (error) => this.warn('accept', {}, `can't accept a connection: ${error.message}`));
    });
    server.on('connection', (socket) => {
      // A frontend has its own listeners. Until then there is nothing to do about an error: the connection is closed by it.
      socket.on('error', () => undefined);
      if (!this.options.connections.add(socket)) this.refuse(socket);
      else if (handshakes === undefined) enter(socket);
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

  /** @param address undefined where the connection is gone again */
  private enter(socket: Socket | TLSSocket, address: string | undefined): void {
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
      // What one client does may not end the connections of all others.
      socket.destroy();
      this.warn('enter', { err: error }, `can't serve a connection: ${error instanceof Error ? error.message : ''}`);
    }
  }

  private refuse(socket: Socket): void {
    socket.destroy();
    const { max } = this.options.connections;
    this.warn('full', { max }, `turned a connection away: there are ${max}, and no more are allowed`);
  }

  private reportFailed(error: Error, socket: TLSSocket): void {
    const problem = handshakeProblem(error, socket);
    if (problem === undefined) return;
    const caller = plainAddress(socket.remoteAddress ?? '');
    this.warn('handshake', { caller, problem }, `a TLS handshake${caller && ` with ${caller}`} failed: ${problem}`);
  }

  /** Strangers can cause any of these. */
  private warn(kind: string, fields: object, message: string): void {
    const listener = this.config.name;
    this.log.warn(kind, { listener, ...fields }, `listener ${listener}: ${message}`);
  }
}
