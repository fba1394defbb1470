import type { Access } from '../core/access.js';
import type { ListenAddress } from '../core/address.js';
import type { Location } from '../backends/backends.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export const logFormats = ['text', 'json'] as const;
export const durabilities = ['fsync', 'none'] as const;

/** What a gateway is started with: checked, with every default filled in, and every path absolute. */
export interface Config {
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
  /** Whether writing without logging in is meant, also where others can reach the gateway. */
  readonly noAuth: boolean;
  readonly limits: Limits;
  /** How long running requests may go on when the gateway stops, in milliseconds. */
  readonly drainMs: number;
  /** How many processes serve; undefined: as many as suit the machine. */
  readonly workers: number | undefined;
  /** The file for a line about each write, delete and refusal. */
  readonly auditLog: string | undefined;
  readonly logLevel: (typeof logLevels)[number];
  /** Undefined: text on a terminal, JSON otherwise. */
  readonly logFormat: (typeof logFormats)[number] | undefined;
}

export interface StoreConfig {
  /** Where the store is; `sample` stands for a fresh copy of the sample store. */
  readonly location: Location | 'sample';
  /** What callers may do who don't log in. */
  readonly anonymous: Access;
  /** How many bytes its packfiles and states may have together; undefined: as many as fit. */
  readonly quotaBytes: number | undefined;
}

export interface ListenerConfig {
  /** Unique among listeners; the address as it is written, where the operator gave none. */
  readonly name: string;
  readonly protocol: 'http' | 'grpc' | 'metrics';
  readonly address: ListenAddress;
  /** The most that anybody may do who comes this way. */
  readonly maxAccess: Access;
  readonly tls: boolean;
  /**
   * A unix socket's permissions, as in 0o660, and owner (names or numbers). Undefined: for its owner alone (0o600), or for owner and
   * group where a group is given (0o660); and owned by the gateway's user.
   */
  readonly mode: number | undefined;
  readonly owner: { readonly user: string | undefined; readonly group: string | undefined } | undefined;
}

/** Someone, or some machine, that can log in. */
export interface PrincipalConfig {
  readonly name: string;
  readonly tokens: readonly TokenConfig[];
  /** Names of client certificates, as in Peer: `cn:…`, `dns:…`, `uri:…`, `email:…`. */
  readonly certificates: readonly string[];
  /** Access by the store's name; `*` stands for every store that isn't named. Where nothing is said, `none`. */
  readonly access: ReadonlyMap<string, Access>;
  /** The names of the listeners that it may use; undefined: all. */
  readonly listeners: ReadonlySet<string> | undefined;
}

export interface TokenConfig {
  /** The token's SHA-256: 64 lower-case hex digits. */
  readonly sha256: string;
  /** When it ends, in milliseconds since 1970-01-01 UTC; undefined: never. */
  readonly expiresMs: number | undefined;
}

/** Paths of PEM files. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  /** Whose client certificates are trusted. */
  readonly clientCa: string | undefined;
  /** Whether a client without a trusted certificate is turned away in the handshake. */
  readonly clientCertRequired: boolean;
}

/** Bounds for what callers may take. */
export interface Limits {
  /** The largest packfile or state that is taken, in bytes. */
  readonly maxObjectBytes: number;
  /** How much has to stay free on a store's disk, in bytes. */
  readonly minFreeBytes: number;
  /** A request's headers: all their bytes, and how long they may take to arrive. */
  readonly maxHeaderBytes: number;
  readonly headerTimeoutMs: number;
  /** What a transfer has to move, in bytes per second over the stall time, while the client is waited for. 0: anything goes. */
  readonly minRate: number;
  readonly stallMs: number;
  /** How long a connection may be idle. */
  readonly idleMs: number;
  /** Of all listeners together. */
  readonly maxConnections: number;
  /** Operations under way for one principal (or for one address, where nobody logs in), and uploads among them. */
  readonly maxRequests: number;
  readonly maxUploads: number;
  /** How long a request waits for its turn under those two. */
  readonly queueMs: number;
  /** Streams of one HTTP/2 connection at once, and how many of them a client may reset in ten seconds. */
  readonly maxStreams: number;
  readonly maxResets: number;
}

/** How to log in to an SSH server and know it; what isn't said is left to OpenSSH's configuration. Paths are absolute. */
export interface SshConfig {
  readonly identities?: readonly string[];
  readonly passphraseFile?: string;
  readonly passphraseEnv?: string;
  readonly passwordFile?: string;
  readonly knownHosts?: readonly string[];
  /** A file to read instead of the user's and the system's; `none` for none. */
  readonly sshConfig?: string;
  readonly insecureIgnoreHostKey: boolean;
}
