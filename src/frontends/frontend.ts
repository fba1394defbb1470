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

/** What health checks are answered from. */
export interface Health {
  /** Whether the gateway was asked to stop: then it is neither healthy nor ready, although it may still serve for a while. */
  readonly isStopping: boolean;
  /** Asks the stores, which takes a few seconds at most. Callers share an answer for a second. Never rejects. */
  readiness(): Promise<Readiness>;
}

export interface Readiness {
  readonly isReady: boolean;
  readonly stores: readonly StoreReadiness[];
}

export interface StoreReadiness {
  /** Empty for the default store. */
  readonly name: string;
  readonly isOptional: boolean;
  /** Why it doesn't answer: a sentence without paths and secrets. */
  readonly problem?: string;
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
