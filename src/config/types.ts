import type { Location } from '../backends/backends.js';
import type { S3Settings } from '../backends/s3/options.js';
import type { Access } from '../core/access.js';
import type { ListenAddress } from '../core/address.js';
import type { DigestAlgorithm } from '../core/digests.js';
import type { EventName } from '../core/event.js';
import type { Values } from './definition.js';
import type { MailServer } from './mail-server.js';
import type { WrittenListener } from './settings/network.js';
import type { TokenConfig, WrittenPrincipal } from './settings/principals.js';

/* The types of a checked configuration: the schemas' outputs, and what the checks make of several settings. */

export type { TokenConfig };

type Running = Values['running'];

/** What a gateway is started with: checked, with all defaults filled in and all paths absolute. */
export interface Config extends Running {
  /** The gateway's name among its replicas. */
  readonly instance: string;
  /** The absolute path of the configuration file, for commands that people are told; undefined: there is none. */
  readonly configFile?: string | undefined;
  /** By name; the empty name is the default store. At least one. */
  readonly stores: ReadonlyMap<string, StoreConfig>;
  readonly listeners: readonly ListenerConfig[];
  readonly principals: readonly PrincipalConfig[];
  /** A file of names and bcrypt hashes of passwords. */
  readonly htpasswd: string | undefined;
  /** The SHA-256 of a token that opens the status page and the metrics, as 64 hex digits. */
  readonly adminToken: string | undefined;
  readonly notify: NotifyConfig;
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
  /** Whether what is in the trash counts for the quota. */
  readonly quotaIncludesTrash: boolean;
  /** No packfile or state is deleted before it is so old, in milliseconds; 0: there is no such rule. */
  readonly retentionMs: number;
  /** For how long deleted packfiles and states are kept in the trash, in milliseconds; 0: there is none. */
  readonly trashMs: number;
  /** The moment as of which the store is served, read-only; undefined: as it is. */
  readonly asOfMs: number | undefined;
  /** Whether the gateway starts without it while it can't be opened. */
  readonly optional: boolean;
  /** With what the digests of packfiles and states that are put are made; undefined: none are recorded. */
  readonly digests: DigestAlgorithm | undefined;
  /** Undefined unless it is in S3. */
  readonly s3: S3Settings | undefined;
  /** Its second copy; undefined: there is none that the gateway keeps up to date. */
  readonly mirror: MirrorConfig | undefined;
  /** Undefined: the gateway doesn't check its objects. */
  readonly verification: VerificationConfig | undefined;
}

/** The other copy of a store, and how the later one of the two is kept up to date. */
export interface MirrorConfig {
  /** `to`: the store is copied to the location; `from`: the other way. */
  readonly direction: 'to' | 'from';
  readonly location: Location;
  /** How often the two are compared, in milliseconds. */
  readonly everyMs: number;
  /** People are told if the copy has not been complete for so long, in milliseconds. */
  readonly lagMs: number;
  /** How much is copied at most; undefined: no limit. */
  readonly bytesPerSecond: number | undefined;
  /** Whether reads that fail are answered from the other copy. */
  readonly readFallback: boolean;
  /** A file whose first line is the token for a gateway that has the other copy. */
  readonly tokenFile: string | undefined;
  /** Undefined unless the other copy is in S3. */
  readonly s3: S3Settings | undefined;
}

/** How all objects of a store are read and checked, pass after pass. */
export interface VerificationConfig {
  /** A pass begins so long after the beginning of the one before, in milliseconds, or at its end if that is later. */
  readonly everyMs: number;
  /** How much is read at most. */
  readonly bytesPerSecond: number;
  /** Whether objects are compared with those of the mirror, if there is one. */
  readonly againstMirror: boolean;
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
  /** Whether it may see the status page of all stores, and the metrics. */
  readonly admin: boolean;
  /** By name of the store: at most so many milliseconds after a backup, the next one is expected. */
  readonly expectBackupMs: ReadonlyMap<string, number>;
  /** By name of the store: the URL that is told of its backups. It is a secret. */
  readonly pings: ReadonlyMap<string, string>;
}

/** Who is told of events. */
export interface NotifyConfig {
  readonly webhooks: readonly WebhookConfig[];
  readonly mail: MailConfig | undefined;
  /** Below this, a store's disk counts as nearly full. */
  readonly warnFreeBytes: number;
}

export interface WebhookConfig {
  /** http or https. It is a secret: it may contain one. */
  readonly url: string;
  /** The key of the signatures; undefined: there is none. */
  readonly secret: Secret | undefined;
  /** `test` is always among them. */
  readonly events: ReadonlySet<EventName>;
}

export interface MailConfig extends MailServer {
  readonly user: string | undefined;
  /** There is one if there is a user. */
  readonly password: Secret | undefined;
  readonly from: string;
  /** At least one. */
  readonly to: readonly string[];
  /** `test` is always among them. */
  readonly events: ReadonlySet<EventName>;
}

/** A secret, or the absolute path of a file whose first line it is. */
export type Secret = { readonly value: string } | { readonly file: string };

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
