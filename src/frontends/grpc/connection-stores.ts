import { isDeepStrictEqual } from 'node:util';
import { StoreError } from '../../core/errors.js';

interface Entry<T> {
  readonly wanted: object;
  readonly store: Promise<T>;
  /** The number of Init calls without their Close. */
  users: number;
}

/**
 * The store that each connection was initialised with. A connection, which several callers may share, has one store: with a second one, an
 * object of one caller could end up in the other's store. An entry is dropped with its connection, or with its last Close.
 */
export class ConnectionStores<T> {
  private readonly entries = new WeakMap<object, Entry<T>>();

  /**
   * Opens the connection's store, or adds a user to it. Throws `invalid_argument` where the connection has another one.
   *
   * @param wanted the store, and the credentials for it
   */
  async init(connection: object, wanted: object, open: () => Promise<T>): Promise<void> {
    const present = this.entries.get(connection);
    if (present !== undefined && !isDeepStrictEqual(present.wanted, wanted)) {
      const text = 'this connection is in use for another store or by another caller: open a new connection';
      throw new StoreError('invalid_argument', text);
    }
    const entry = present ?? { wanted, store: Promise.resolve().then(open), users: 0 };
    this.entries.set(connection, entry);
    entry.users++;
    try {
      await entry.store;
    } catch (error) {
      if (this.entries.get(connection) === entry) this.entries.delete(connection);
      throw error;
    }
  }

  /** The connection's store. Throws `invalid_argument` before its Init. */
  async of(connection: object): Promise<T> {
    const entry = this.entries.get(connection);
    if (entry === undefined) {
      const text = 'Init has to come first on each connection: if the connection was lost, run the command again';
      throw new StoreError('invalid_argument', text);
    }
    return entry.store;
  }

  /** Removes a user of the connection's store, and with the last one the store. */
  close(connection: object): void {
    const entry = this.entries.get(connection);
    if (entry !== undefined && --entry.users <= 0) this.entries.delete(connection);
  }
}
