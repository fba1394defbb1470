/** Everything about an SFTP store that isn't in its location. */
export interface SftpOptions {
  /** Environment variables: `SSH_AUTH_SOCK` is the agent, `PATH` leads to OpenSSH's client, `passphraseEnv` names another. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder, for `~` and `.ssh` in it. */
  readonly home: string;
  /** The local user's name: who to log in as where neither the location nor the SSH configuration says. */
  readonly localUser: string;

  /** Files of private keys, tried before all others. */
  readonly identities?: readonly string[];
  /** The environment variable with the passphrase of encrypted identities. */
  readonly passphraseEnv?: string;
  /** The file with the passphrase of encrypted identities: its first line. */
  readonly passphraseFile?: string;
  /** The file with the user's password: its first line. Tried last. */
  readonly passwordFile?: string;

  /** Files of host keys, instead of those of the SSH configuration (`~/.ssh/known_hosts` and the system's). */
  readonly knownHosts?: readonly string[];
  /** Talk to whoever answers. Warns at each start. */
  readonly insecureIgnoreHostKey?: boolean;
  /** The SSH configuration to read instead of the user's and the system's; `none` for none. */
  readonly sshConfig?: string;

  /** Whether the store will be written: only then may the server be probed by writing. Default: true. */
  readonly writable?: boolean;
  /** The most connections at once. Default: 4. */
  readonly connections?: number;
  /** How many packfiles are kept open at most. Default: 512, less where the server says that it allows less. */
  readonly openFiles?: number;
  /** How long one attempt to connect and log in may take, in milliseconds. Default: 20 000. */
  readonly connectTimeoutMs?: number;
  /** A connection on which nothing was heard three times this long is dead, in milliseconds. Default: 3000. */
  readonly keepAliveMs?: number;
  /** How long a server may leave a request unanswered while the connection lives, in milliseconds. Default: 30 000. */
  readonly requestTimeoutMs?: number;
  /** How long an operation is tried again when connections are lost, in milliseconds, before it fails. Default: 60 000. */
  readonly giveUpMs?: number;
}

/** The options that say how connections are kept, with their defaults filled in. Milliseconds, and numbers of things. */
export interface LinkOptions {
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly requestTimeoutMs: number;
  readonly giveUpMs: number;
}

/** Fills in the defaults. */
export function linkOptions(options: SftpOptions): LinkOptions {
  return {
    connections: Math.max(1, options.connections ?? 4),
    connectTimeoutMs: options.connectTimeoutMs ?? 20_000,
    keepAliveMs: options.keepAliveMs ?? 3000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    giveUpMs: options.giveUpMs ?? 60_000,
  };
}
