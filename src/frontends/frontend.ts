import type { ListenAddress } from '../core/address.js';
import type { Logger } from '../core/logger.js';
import type { Store } from '../core/store.js';

/** What every frontend is made of. */
export interface FrontendOptions {
  /**
   * The store of this name as the caller has it, behind every layer; the empty name is the default one. Throws `not_found`
   * for a name that is nobody's. Frontends have no other way to a store.
   */
  readonly storeOf: (name: string) => Store;
  readonly log: Logger;
}

/** A server of one protocol. */
export interface Frontend {
  /** Starts to listen. Resolves to the address in force: a port 0 is replaced by the real one. */
  listen(address: ListenAddress): Promise<ListenAddress>;

  /**
   * Stops accepting and lets what is running finish, for `graceMs` milliseconds at most; then breaks it off. Resolves when
   * no request is left and each has cleaned up behind itself. May be called again with less patience.
   */
  close(graceMs: number): Promise<void>;
}
