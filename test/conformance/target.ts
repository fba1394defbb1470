import type { ErrorCode } from '../../src/core/errors.js';
import type { Store } from '../../src/core/store.js';

/** The operations of a store that can wait for something. */
export const operations = ['config', 'list', 'stat', 'get', 'put', 'delete'] as const;

export type Operation = (typeof operations)[number];

/** A store to test, with what the tests need to know of it and to do to it. */
export interface Target {
  /** An empty store that accepts packfiles and states of up to `maxObjectBytes`. */
  readonly store: Store;
  /** The CONFIG that it was made with. */
  readonly config: Uint8Array;
  /** The folder that it is in, for stores in a folder of this machine. The tests fill its disk themselves. */
  readonly folder?: string;
  /** Leaves no room for more bytes, in a store that has no folder. Resolves to what makes room again. */
  readonly fill?: () => Promise<() => Promise<void>>;
  /** Makes operations wait until `unblock` is called, where the store can be made to. */
  readonly block?: () => Promise<Blocked>;
  /** Closes the store, and fails if something that it lent has not been given back. */
  close(): Promise<void>;
}

/** A store whose operations wait. */
export interface Blocked {
  /** The operations that wait. Others may go on. */
  readonly operations: readonly Operation[];
  unblock(): Promise<void>;
}

/** Something that a protocol, or the client that the tests have of it, does not tell. */
export type Hidden =
  /** What `info` tells. */
  | 'info'
  /** Whether a put created the object. */
  | 'created'
  /** The size of an object whose range is read. */
  | 'objectSize'
  /** How far a store has read an upload: the client sends ahead. */
  | 'progress'
  /** The beginning of an upload: the client sends nothing before it has all of it. */
  | 'incompleteUploads';

export interface SuiteOptions {
  /** Whether the store is in a folder of this machine, so that its files can be looked at and changed. */
  readonly onDisk: boolean;
  /** The code that an error has behind a protocol that does not tell all codes apart. */
  readonly seenAs?: (code: ErrorCode) => ErrorCode;
  readonly hides?: readonly Hidden[];
}

/** What the clauses are tried on. `target` and `store` are those of the test that is running. */
export interface Subject {
  readonly target: Target;
  readonly store: Store;
  readonly onDisk: boolean;
  readonly seenAs: (code: ErrorCode) => ErrorCode;
  readonly hides: (what: Hidden) => boolean;
}

/** The limit that targets are opened with. */
export const maxObjectBytes = 8 * 1024 * 1024;
