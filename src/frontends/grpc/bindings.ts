import { StoreError } from '../../core/errors.js';
import type { Store } from '../../core/store.js';

interface Binding {
  readonly key: string;
  readonly store: Promise<Store>;
  /** How often Init was called and Close wasn't. */
  users: number;
}

/**
 * Which store each connection is about. A connection may be shared by several callers, so it is never about two: the second
 * one is refused, or the first one's next object would end up in the other's store. What is remembered goes with the
 * connection, and with the last Close.
 */
export class Bindings {
  private readonly all = new WeakMap<object, Binding>();

  /**
   * Binds a connection to a store, or adds a user to its binding. Throws `invalid_argument` where it has another one.
   *
   * @param wanted names the store, and with what right it is asked for
   */
  async bind(connection: object, wanted: object, open: () => Promise<Store>): Promise<void> {
    const key = JSON.stringify(wanted);
    const present = this.all.get(connection);
    if (present !== undefined && present.key !== key) {
      const text = 'this connection is about another store, or another caller: one that wants this has to connect anew';
      throw new StoreError('invalid_argument', text);
    }
    const binding = present ?? { key, store: Promise.resolve().then(open), users: 0 };
    this.all.set(connection, binding);
    binding.users++;
    try {
      await binding.store;
    } catch (error) {
      if (this.all.get(connection) === binding) this.all.delete(connection);
      throw error;
    }
  }

  /** The store that a connection is about. Throws `invalid_argument` where nobody has said so. */
  async storeOf(connection: object): Promise<Store> {
    const binding = this.all.get(connection);
    if (binding === undefined) {
      const text = 'Init has to come first, on each connection: was the last one lost? Then run the command again';
      throw new StoreError('invalid_argument', text);
    }
    return binding.store;
  }

  /** Takes a user from a connection's binding; with the last one it is forgotten. */
  release(connection: object): void {
    const binding = this.all.get(connection);
    if (binding !== undefined && --binding.users <= 0) this.all.delete(connection);
  }
}
