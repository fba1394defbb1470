/** How to log in to an SSH server and verify its host key; everything else is left to OpenSSH's configuration. Paths are absolute. */
export interface SshSettings {
  /** Files of private keys, tried before all others. */
  readonly identities?: readonly string[];
  /** The environment variable with the passphrase of encrypted identities. */
  readonly passphraseEnv?: string;
  /** The file whose first line is the passphrase of encrypted identities. */
  readonly passphraseFile?: string;
  /** The file whose first line is the user's password. Tried last. */
  readonly passwordFile?: string;
  /** Files of host keys, instead of those of the SSH configuration (`~/.ssh/known_hosts` and the system's). */
  readonly knownHosts?: readonly string[];
  /** Accept any host key. Logs a warning at each start. */
  readonly insecureIgnoreHostKey?: boolean;
  /** The SSH configuration to read instead of the user's and the system's; `none` for none. */
  readonly sshConfig?: string;
}

/** Everything about an SFTP store that isn't in its location. */
export interface SftpOptions extends SshSettings {
  /** Environment variables: `SSH_AUTH_SOCK` is the agent, `PATH` leads to OpenSSH's client, `passphraseEnv` names another. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder, for `~` and `.ssh` in it. */
  readonly home: string;
  /** The local user's name, to log in as if neither the location nor the SSH configuration names one. */
  readonly localUser: string;

  /** Whether the store will be written: only then may the server be probed by writing. Default: true. */
  readonly writable?: boolean;
  /** Whether the store's folder is made, with those above it, if it is missing. Default: false. */
  readonly makesFolder?: boolean;
  /** The most connections at once. Default: 4. */
  readonly connections?: number;
  /** How many packfiles are kept open at most. Default: 512, or less if the server allows less. */
  readonly maxOpenFiles?: number;
  /** The limit of one attempt to connect and log in, in milliseconds. Default: 20 000. */
  readonly connectTimeoutMs?: number;
  /** How often keepalives are sent, in milliseconds; a connection is dead after three times this long without data. Default: 3000. */
  readonly keepAliveMs?: number;
  /** How long a request may stay unanswered on a live connection, in milliseconds. Default: 30 000. */
  readonly requestTimeoutMs?: number;
  /** How long an operation is retried after lost connections, in milliseconds, before it fails. Default: 60 000. */
  readonly giveUpMs?: number;
  /** Called each time that the server was connected to anew, after the first time. */
  readonly onReconnect?: () => void;
}

/** The options about connections, with their defaults. */
export type LinkOptions = Required<
  Pick<
    SftpOptions,
    'connections' | 'connectTimeoutMs' | 'keepAliveMs' | 'requestTimeoutMs' | 'giveUpMs' | 'onReconnect'
  >
>;

/** Fills in the defaults. */
export function linkOptions(options: SftpOptions): LinkOptions {
  return {
    connections: Math.max(1, options.connections ?? 4),
    connectTimeoutMs: options.connectTimeoutMs ?? 20_000,
    keepAliveMs: options.keepAliveMs ?? 3000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    giveUpMs: options.giveUpMs ?? 60_000,
    onReconnect: options.onReconnect ?? (() => undefined),
  };
}
