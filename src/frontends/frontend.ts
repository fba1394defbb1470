import type { Socket } from 'node:net';
import type { AccessControl } from '../core/access-control.js';
import type { Logger } from '../lib/logger.js';
import type { RequestObserver } from '../core/request.js';

/** What every frontend is created with. */
export interface FrontendOptions {
  readonly access: AccessControl;
  readonly log: Logger;
  /** Notified of each request that has ended. */
  readonly observers: readonly RequestObserver[];
}

/** A server of one protocol, for connections that a listener has accepted. */
export interface Frontend {
  /** Serves a connection, plain or after its TLS handshake. The frontend owns it from now on. */
  accept(socket: Socket): void;

  /**
   * Stops gracefully: takes no further requests, and lets running ones finish for at most `graceMs` milliseconds before it aborts them.
   * Resolves when none is left and all have cleaned up. May be called again with a shorter grace period.
   */
  close(graceMs: number): Promise<void>;
}
