import type { Store } from '../core/store.js';
import type { Logger } from '../lib/logger.js';
import type { Surroundings } from '../lib/paths.js';
import type { FileStoreOptions } from './files/file-store.js';
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
}

export interface OpenOptions extends Pick<FileStoreOptions, 'durable' | 'maxObjectBytes' | 'minFreeBytes' | 'host'> {
  /** Whether the store will be written. */
  readonly writable: boolean;
  /** Whose keys, tokens and SSH configuration are used. */
  readonly user: User;
  readonly ssh: SshSettings;
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
}
