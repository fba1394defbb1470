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
  durability?: string;
  'drain-timeout'?: string;
  'log-level'?: string;
  'log-format'?: string;
  sample?: boolean;
}

/** What a gateway is started with. */
export interface Config {
  /** Where the store is; `sample` stands for a fresh copy of the sample store. */
  readonly location: Location | 'sample';
  readonly http: readonly ListenAddress[];
  readonly grpc: readonly ListenAddress[];
  /** What callers may do. */
  readonly access: Access;
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
    http,
    grpc,
    access,
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
