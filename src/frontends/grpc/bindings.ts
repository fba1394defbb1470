import { StoreError } from '../../core/errors.js';

interface Binding<T> {
  readonly key: string;
  readonly bound: Promise<T>;
  /** How often Init was called and Close wasn't. */
  users: number;
}

/**
 * What each connection is about. A connection may be shared by several callers, so it is never about two things: the second
 * one is refused, or the first one's next object would end up in the other's store. What is remembered goes with the
 * connection, and with the last Close.
 */
export class Bindings<T> {
  private readonly all = new WeakMap<object, Binding<T>>();

  /**
   * Binds a connection, or adds a user to its binding. Throws `invalid_argument` where it is bound to something else.
   *
   * @param wanted names what is bound, and with what right it is asked for
   */
  async bind(connection: object, wanted: object, open: () => Promise<T>): Promise<void> {
    const key = JSON.stringify(wanted);
    const present = this.all.get(connection);
    if (present !== undefined && present.key !== key) {
      const text = 'this connection is about another store, or another caller: one that wants this has to connect anew';
      throw new StoreError('invalid_argument', text);
    }
    const binding = present ?? { key, bound: Promise.resolve().then(open), users: 0 };
    this.all.set(connection, binding);
    binding.users++;
    try {
      await binding.bound;
    } catch (error) {
      if (this.all.get(connection) === binding) this.all.delete(connection);
      throw error;
    }
  }

  /** What a connection is about. Throws `invalid_argument` where nobody has said so. */
  async of(connection: object): Promise<T> {
    const binding = this.all.get(connection);
    if (binding === undefined) {
      const text = 'Init has to come first, on each connection: was the last one lost? Then run the command again';
      throw new StoreError('invalid_argument', text);
    }
    return binding.bound;
  }

  /** Takes a user from a connection's binding; with the last one it is forgotten. */
  release(connection: object): void {
    const binding = this.all.get(connection);
    if (binding !== undefined && --binding.users <= 0) this.all.delete(connection);
  }
}
