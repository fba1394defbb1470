import type { Socket } from 'node:net';
import type { AccessControl } from '../core/access-control.js';
import type { Logger } from '../lib/logger.js';
import type { RequestObserver } from '../core/request.js';

/** What every frontend is made of. */
export interface FrontendOptions {
  readonly access: AccessControl;
  readonly log: Logger;
  /** Who is told of each request. */
  readonly observers: readonly RequestObserver[];
}

/** A server of one protocol, on connections that somebody else accepts. */
export interface Frontend {
  /** Serves a connection: plain, or after its TLS handshake. It is the frontend's from now on. */
  accept(socket: Socket): void;

  /**
   * Takes no further requests and lets what is running finish, for `graceMs` milliseconds at most; then breaks it off. Resolves
   * when no request is left and each has cleaned up behind itself. May be called again with less patience.
   */
  close(graceMs: number): Promise<void>;
}
