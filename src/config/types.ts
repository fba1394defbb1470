import type { Location } from '../backends/backends.js';
import type { Access } from '../core/access.js';
import type { ListenAddress } from '../core/address.js';
import type { Values } from './definition.js';
import type { WrittenListener } from './settings/network.js';
import type { TokenConfig, WrittenPrincipal } from './settings/principals.js';

/* The types of a checked configuration: the schemas' outputs, and what the checks make of several settings. */

export type { TokenConfig };

type Running = Values['running'];

/** What a gateway is started with: checked, with all defaults filled in and all paths absolute. */
export interface Config extends Running {
  /** By name; the empty name is the default store. At least one. */
  readonly stores: ReadonlyMap<string, StoreConfig>;
  readonly listeners: readonly ListenerConfig[];
  readonly principals: readonly PrincipalConfig[];
  /** A file of names and bcrypt hashes of passwords. */
  readonly htpasswd: string | undefined;
  /** For the listeners whose `tls` is true. */
  readonly tls: TlsConfig | undefined;
  readonly ssh: SshConfig;
  /** How the HTTP API of plakar 1.0 is served. */
  readonly v10: { readonly enabled: boolean; readonly maxDocumentBytes: number };
  /** Whether puts are synced to disk before they are acknowledged. */
  readonly durable: boolean;
  /** Whether anonymous callers may write even where other machines can reach the gateway. */
  readonly noAuth: boolean;
  readonly limits: Limits;
}

export type Limits = Values['limits'];

export interface StoreConfig {
  /** `sample` stands for a new copy of the sample store. */
  readonly location: Location | 'sample';
  /** The access of anonymous callers. */
  readonly anonymous: Access;
  /** The limit of the total size of its packfiles and states; undefined: none. */
  readonly quotaBytes: number | undefined;
  /** Whether the gateway starts without it while it can't be opened. */
  readonly optional: boolean;
}

export interface ListenerConfig {
  /** Unique among listeners; by default its address as written. */
  readonly name: string;
  readonly protocol: keyof Values['listening'];
  readonly address: ListenAddress;
  /** The highest access that any caller gets here. */
  readonly maxAccess: Access;
  readonly tls: boolean;
  /** Permissions of a unix socket, as in 0o660. Undefined: 0o600, or 0o660 if a group is given. */
  readonly mode: WrittenListener['mode'];
  /** Owner of a unix socket, by names or numbers. Undefined: the gateway's user. */
  readonly owner: WrittenListener['owner'];
}

/** A person or machine that can log in. */
export interface PrincipalConfig {
  readonly name: string;
  readonly tokens: readonly TokenConfig[];
  /** Names of client certificates, as in Peer: `cn:…`, `dns:…`, `uri:…`, `email:…`. */
  readonly certificates: NonNullable<WrittenPrincipal['certificates']>;
  /** By name of the store; `*` stands for all stores that aren't listed. Without an entry, `none`. */
  readonly access: ReadonlyMap<string, Access>;
  /** The names of the listeners that it may use; undefined: all. */
  readonly listeners: ReadonlySet<string> | undefined;
}

/** Paths of PEM files. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  /** The authorities of trusted client certificates. */
  readonly clientCa: string | undefined;
  /** Whether clients without a trusted certificate are refused during the handshake. */
  readonly clientCertRequired: boolean;
}

/** How to log in to SSH servers; what is missing is left to OpenSSH's configuration. */
export type SshConfig = { readonly [F in keyof Values['ssh']]?: NonNullable<Values['ssh'][F]> };
