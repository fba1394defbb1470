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
  /** Makes a store full that has no folder. Resolves to a function that makes room again. */
  readonly fill?: () => Promise<() => Promise<void>>;
  /** Makes operations wait until `unblock` is called. Only for stores that can be made to. */
  readonly block?: () => Promise<Blocked>;
  /** Closes the store. Fails if permits or files have not been released. */
  close(): Promise<void>;
}

/** A store whose operations wait. */
export interface Blocked {
  /** The operations that wait. Others may proceed. */
  readonly operations: readonly Operation[];
  unblock(): Promise<void>;
}

/** Something that a protocol, or the tests' client of it, does not show. */
export type Hidden =
  /** The result of `info`. */
  | 'info'
  /** Whether a put created the object. */
  | 'created'
  /** The size of an object whose range is read. */
  | 'objectSize'
  /** How much of an upload the store has read: the client sends ahead. */
  | 'progress'
  /** Incomplete uploads: the client sends nothing before it has the whole object. */
  | 'incompleteUploads'
  /** That the name of a deleted packfile or state can be used for other bytes. */
  | 'otherBytes';

export interface SuiteOptions {
  /** Whether the store is in a folder of this machine, so that its files can be looked at and changed. */
  readonly onDisk: boolean;
  /** The code that the client sees for an error, if the protocol has one status for several codes. */
  readonly seenAs?: (code: ErrorCode) => ErrorCode;
  readonly hides?: readonly Hidden[];
}

/** The store under test. `target` and `store` are those of the running test. */
export interface Subject {
  readonly target: Target;
  readonly store: Store;
  readonly onDisk: boolean;
  readonly seenAs: (code: ErrorCode) => ErrorCode;
  readonly hides: (what: Hidden) => boolean;
}

/** The limit that targets are opened with. */
export const maxObjectBytes = 8 * 1024 * 1024;
