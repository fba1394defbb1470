import { resolve } from 'node:path';
import type { Access } from '../core/access.js';
import { formatAddress, type ListenAddress } from '../core/address.js';
import type { Location } from '../core/location.js';
import { isLocalOnly, parseAddress } from './address.js';
import { parseLocation, type Surroundings } from './location.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export const logFormats = ['text', 'json'] as const;
export const durabilities = ['fsync', 'none'] as const;

/** The gateway's settings as they are written, before anything is checked. */
export interface Settings {
  location?: string;
  listen?: string[];
  'grpc-listen'?: string[];
  'allow-write'?: boolean;
  'allow-delete'?: boolean;
  'no-auth'?: boolean;
  'no-http-v1.0'?: boolean;
  'http-v1.0-limit'?: string;
  durability?: string;
  'drain-timeout'?: string;
  'log-level'?: string;
  'log-format'?: string;
  'ssh-identity'?: string[];
  'ssh-passphrase-file'?: string;
  'ssh-passphrase-env'?: string;
  'ssh-password-file'?: string;
  'ssh-known-hosts'?: string[];
  'ssh-config'?: string;
  'insecure-ignore-host-key'?: boolean;
  sample?: boolean;
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

/** What a gateway is started with. */
export interface Config {
  /** Where the store is; `sample` stands for a fresh copy of the sample store. */
  readonly location: Location | 'sample';
  readonly ssh: SshConfig;
  readonly http: readonly ListenAddress[];
  readonly grpc: readonly ListenAddress[];
  /** What callers may do. */
  readonly access: Access;
  /** How the HTTP API of plakar 1.0 is served. */
  readonly v10: { readonly enabled: boolean; readonly maxDocumentBytes: number };
  /** Whether puts are synced to disk before they are acknowledged. */
  readonly durable: boolean;
  /** The largest packfile or state that is taken, in bytes. */
  readonly maxObjectBytes: number;
  /** How long running requests may go on when the gateway stops, in milliseconds. */
  readonly drainMs: number;
  readonly logLevel: (typeof logLevels)[number];
  /** Undefined: text on a terminal, JSON otherwise. */
  readonly logFormat: (typeof logFormats)[number] | undefined;
}

/** 64 times the size of plakar's packfiles. */
const maxObjectBytes = 4 * 1024 ** 3;

/** Checks settings. Reports every problem at once, each a sentence for a person. Pure. */
export function makeConfig(
  settings: Settings,
  surroundings: Surroundings,
): { config: Config } | { problems: string[] } {
  const problems: string[] = [];
  const http = addresses('listen', settings.listen ?? ['localhost:9876'], problems);
  const grpc = grpcAddresses(settings['grpc-listen'] ?? ['localhost:9877'], problems);
  const access = settings['allow-delete'] ? 'full' : settings['allow-write'] ? 'append' : 'read-only';
  const config: Config = {
    location: location(settings, surroundings, problems),
    ssh: sshConfig(settings, surroundings),
    http,
    grpc,
    access,
    v10: {
      enabled: !settings['no-http-v1.0'],
      maxDocumentBytes: mebibytes(settings['http-v1.0-limit'] ?? '40', problems),
    },
    durable: oneOf('durability', durabilities, settings.durability, problems) !== 'none',
    maxObjectBytes,
    drainMs: seconds('drain-timeout', settings['drain-timeout'] ?? '30', problems) * 1000,
    logLevel: oneOf('log-level', logLevels, settings['log-level'], problems) ?? 'info',
    logFormat: oneOf('log-format', logFormats, settings['log-format'], problems),
  };
  if (access !== 'read-only' && !settings['no-auth']) {
    for (const address of [...http, ...grpc].filter((each) => !isLocalOnly(each))) {
      problems.push(
        `whoever reaches ${formatAddress(address)} could write to the store, since nobody has to log in: ` +
          'listen on localhost or a unix socket, or say --no-auth if that is meant',
      );
    }
  }
  return problems.length > 0 ? { problems } : { config };
}

/** The addresses that others than this machine can reach, where nobody has to log in. */
export function openAddresses({ http, grpc }: Config): ListenAddress[] {
  return [...http, ...grpc].filter((address) => !isLocalOnly(address));
}

function location(settings: Settings, surroundings: Surroundings, problems: string[]): Config['location'] {
  if (settings.sample) {
    if (settings.location !== undefined) problems.push('--sample serves its own store: leave the location out');
    return 'sample';
  }
  const parsed = parseLocation(settings.location, surroundings);
  if (!('problem' in parsed)) return parsed;
  problems.push(parsed.problem);
  return 'sample';
}

function sshConfig(settings: Settings, { cwd }: Surroundings): SshConfig {
  const path = (name: 'ssh-passphrase-file' | 'ssh-password-file' | 'ssh-config') =>
    settings[name] === undefined ? undefined : resolve(cwd, settings[name]);
  const paths = (name: 'ssh-identity' | 'ssh-known-hosts') => settings[name]?.map((each) => resolve(cwd, each));
  return defined({
    identities: paths('ssh-identity'),
    passphraseFile: path('ssh-passphrase-file'),
    passphraseEnv: settings['ssh-passphrase-env'],
    passwordFile: path('ssh-password-file'),
    knownHosts: paths('ssh-known-hosts'),
    sshConfig: settings['ssh-config'] === 'none' ? 'none' : path('ssh-config'),
    insecureIgnoreHostKey: settings['insecure-ignore-host-key'] ?? false,
  });
}

/** The same without what is undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function grpcAddresses(texts: readonly string[], problems: string[]): ListenAddress[] {
  if (!texts.includes('off')) return addresses('grpc-listen', texts, problems);
  if (texts.length > 1) problems.push('--grpc-listen off goes with no other --grpc-listen');
  return [];
}

function addresses(option: string, texts: readonly string[], problems: string[]): ListenAddress[] {
  return texts.flatMap((text) => {
    const address = parseAddress(text);
    if (address !== undefined) return [address];
    problems.push(`--${option} ${text}: an address is host:port, [v6]:port, :port or unix:/path`);
    return [];
  });
}

function oneOf<T extends string>(
  option: string,
  all: readonly T[],
  text: string | undefined,
  problems: string[],
): T | undefined {
  const found = all.find((each) => each === text);
  if (found === undefined && text !== undefined)
    problems.push(`--${option} ${text}: it has to be one of ${all.join(', ')}`);
  return found;
}

function seconds(option: string, text: string, problems: string[]): number {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text)) problems.push(`--${option} ${text}: it has to be a number of seconds`);
  return Number(text);
}

/** The limit of a JSON document of plakar 1.0's API, in bytes. */
function mebibytes(text: string, problems: string[]): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    problems.push(`--http-v1.0-limit ${text}: it has to be a number of MiB, from 1 to 9999`);
  return Number(text) * 1024 ** 2;
}
