import type { Socket } from 'node:net';
import type { Caller, Peer } from '../core/caller.js';
import type { Logger } from '../core/logger.js';
import type { Store } from '../core/store.js';
import type { RequestObserver } from './requests.js';

/** What every frontend is made of. */
export interface FrontendOptions {
  readonly access: AccessControl;
  readonly log: Logger;
  /** Who is told of each request. */
  readonly observers: readonly RequestObserver[];
}

/** The way from a request to a store: who is it, and what has it of that store. Frontends have no other one. */
export interface AccessControl {
  /**
   * Who a request comes from: the principal of its credentials or of its client certificate, or nobody. Fails with
   * `unauthenticated` where the credentials are wrong, `too_many_requests` where too many were.
   *
   * @param authorization the value of the `Authorization` header, or of the metadata of that name: `Bearer …` or `Basic …`
   */
  login(peer: Peer, authorization: string | undefined): Caller | Promise<Caller>;

  /**
   * The store of this name as the caller has it, behind every layer; the empty name is the default one. Throws `not_found`,
   * `unauthenticated` or `permission_denied` where the caller has none.
   */
  storeOf(caller: Caller, name: string): Store;
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
