import type { DigestStorage } from '../core/digests.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext, Store } from '../core/store.js';
import type { Trash } from '../core/trash.js';
import type { Logger } from '../lib/logger.js';
import type { Surroundings } from '../lib/paths.js';
import type { FileStoreOptions } from './files/file-store.js';
import type { S3Settings } from './s3/options.js';
import type { SshSettings } from './sftp/options.js';

/**
 * A kind of place for stores. Each has a folder here, which knows how its locations are written and how its stores are opened, and a line in
 * `backends.ts`, which makes it known to everything else.
 *
 * A location is plain data: it is compared as JSON and sent to other processes.
 */
export interface Backend<L extends { readonly scheme: string }> {
  /** What comes before `://` in its locations, in lower case. */
  readonly schemes: readonly string[];
  /** How its locations are written, for help and errors. */
  readonly form: string;

  /** Reads a location of one of the schemes. Throws `invalid_argument`; the message doesn't repeat the text, which may contain a password. */
  parse(text: string, surroundings: Surroundings): L;

  /** The text that `parse` reads as this location. */
  format(location: L): string;

  /** The location with the options in plakar's configuration of a store, which take precedence. Default: none applies. */
  withConnectorOptions?(location: L, options: Connector['options']): L;

  /** Opens the store at a location. Fails with a StoreError whose message is for the operator. */
  open(location: L, options: OpenOptions, log: Logger): Promise<OpenedStore>;

  /**
   * Makes an empty store: its folders, and then this CONFIG, durable where that is wanted. Until CONFIG is there it is no store, and can be made one
   * again. Nothing is replaced: fails with `already_exists` where there is a store, and with `invalid_argument` where there is anything else.
   * Default: such stores are made elsewhere.
   */
  create?(location: L, config: Uint8Array, options: OpenOptions, log: Logger): Promise<void>;
}

export interface OpenOptions extends Pick<
  FileStoreOptions,
  'durable' | 'maxObjectBytes' | 'minFreeBytes' | 'host' | 'trashes' | 'digests' | 'now'
> {
  /** Whether the store will be written. */
  readonly writable: boolean;
  /** Whose keys, tokens and SSH configuration are used. */
  readonly user: User;
  readonly ssh: SshSettings;
  /** For a store in S3. Default: no settings, and TLS. */
  readonly s3?: S3Settings | undefined;
  /**
   * Until packfiles and states are so old, in milliseconds, the store's server refuses to delete them, where it can and `s3.objectLock` says
   * so. Default: 0.
   */
  readonly retentionMs?: number;
  /** Called each time that the store's server was connected to anew, after the first time. */
  readonly onReconnect?: () => void;
  /** Of another gateway's store: see ClientOptions. */
  readonly ownCopy?: boolean;
  /** Only in plakar's plugin. */
  readonly connector?: Connector;
}

/** The user that runs the gateway. */
export interface User {
  readonly name: string;
  /** The home folder's absolute path. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A store in plakar's configuration, which plakar's plugin is asked to open. */
export interface Connector {
  /** All its options by name, secrets included. */
  readonly options: Readonly<Record<string, string>>;
  /** What paths among them are relative to. */
  readonly surroundings: Surroundings;
}

export interface OpenedStore extends Store {
  /** Removes what crashed uploads left. Resolves to the number of files removed. */
  sweep?(): Promise<number>;
  /** Uploads that have not ended, and what crashed ones left, also of other gateways. */
  unfinished?(): AsyncIterable<UnfinishedUpload>;
  /** How many bytes can still be written on its disk; undefined if unknown. */
  freeBytes?(): Promise<number | undefined>;
  /** Its trash, also where deletes don't go there (any more); undefined if it can't have one. */
  readonly trash?: Trash | undefined;
  /** Its digests, also where none are recorded (any more); undefined if it can't have any. */
  readonly digests?: DigestStorage | undefined;
  /**
   * Replaces a packfile or state that is damaged or missing, atomically: for the operator, who knows that these are its bytes. The damaged one
   * goes to the trash if the store was opened with one. Fails as `put` does, and changes nothing then. Undefined: that can't be done here.
   *
   * @param arrivedMs when the object had arrived, in milliseconds since 1970-01-01 UTC. In a bucket it arrives anew: see `firstArrival`
   */
  replace?(
    ref: ObjectRef,
    body: AsyncIterable<Uint8Array>,
    arrivedMs: number,
    ctx: OpContext,
    options?: ReplaceOptions,
  ): Promise<void>;
  /**
   * When a packfile or state had arrived, in milliseconds since 1970-01-01 UTC, that has arrived anew since, by `replace`; undefined for others.
   * Default: none does.
   */
  firstArrival?(ref: ObjectRef, ctx: OpContext): Promise<number | undefined>;
  /** The store as of a moment, where what keeps it has such views itself; it need not be closed. */
  asOf?(momentMs: number): Store | undefined;
}

export interface ReplaceOptions {
  /** Whether it fails with `not_found` where the object is gone when the new bytes are ready: then a client has deleted it. Default: false. */
  readonly mustExist?: boolean;
}

/** A part of an object that a store keeps, although it isn't complete. */
export interface UnfinishedUpload {
  /** When it was last written, or began where that isn't known, in milliseconds since 1970-01-01 UTC. */
  readonly modifiedMs: number;
  /** How many bytes it has so far; undefined if unknown. */
  readonly size?: number | undefined;
}
