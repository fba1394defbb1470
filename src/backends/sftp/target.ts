import { join } from 'node:path';
import type { Logger } from '../../lib/logger.js';
import { checkHost, checkUser, type SftpLocation } from './location.js';
import type { SftpOptions } from './options.js';
import { readSshConfig, type SshConfig } from './ssh-config.js';

/** Where to connect to, as whom, and how: the location, the options and the SSH configuration combined. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The name in known_hosts, if it isn't the host's. */
  readonly hostKeyAlias: string | undefined;
  /** Files, which may be missing. */
  readonly knownHosts: readonly string[];
  /** Whether any host key is accepted. */
  readonly insecure: boolean;
  readonly identities: readonly Identity[];
  /** Whether only keys of `identities` may be used, even if the agent has others. */
  readonly identitiesOnly: boolean;
  /** The agent's socket. */
  readonly agent: string | undefined;
  readonly proxy: Proxy | undefined;
}

export interface Identity {
  readonly file: string;
  /** Whether the operator named it, so that it has to exist; otherwise it is one of OpenSSH's defaults. */
  readonly required: boolean;
}

/** A process that connects to the server, instead of a TCP connection of the gateway's. */
export type Proxy =
  /** A command line for the shell, as in ProxyCommand. */
  | { readonly command: string }
  /** Arguments of `ssh`, for connecting through jump hosts. */
  | { readonly jump: readonly string[] };

const defaultIdentities = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const defaultKnownHosts = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];

/** Determines the target. Errors are those of `readSshConfig`, and `invalid_argument` for unsafe names. */
export async function resolveTarget(
  location: SftpLocation,
  options: SftpOptions,
  log: Pick<Logger, 'warn'>,
): Promise<Target> {
  checkHost(location.host);
  if (location.user !== undefined) checkUser(location.user);
  const config = await readSshConfig(location, options, log);
  const host = first(config, 'hostname') ?? location.host;
  const user = location.user ?? first(config, 'user') ?? options.localUser;
  // The configuration may name others than the location.
  checkHost(host);
  checkUser(user);
  const port = location.port ?? Number(first(config, 'port') ?? 22);
  const tokens = { d: options.home, h: host, n: location.host, p: String(port), r: user, u: options.localUser };
  const path = (text: string): string[] => expandPath(text, options.home, tokens);
  const usual = config.size === 0 ? defaultKnownHosts : words(config, 'globalknownhostsfile');
  const personal = config.size === 0 ? [join(options.home, '.ssh/known_hosts')] : words(config, 'userknownhostsfile');
  return {
    host,
    port,
    user,
    hostKeyAlias: first(config, 'hostkeyalias'),
    knownHosts: options.knownHosts ?? [...personal, ...usual].filter((file) => file !== 'none').flatMap(path),
    insecure: options.insecureIgnoreHostKey ?? false,
    identities: [
      ...(options.identities ?? []).map((file) => ({ file, required: true })),
      ...configuredIdentities(config, options.home)
        .flatMap(path)
        .map((file) => ({ file, required: false })),
    ],
    identitiesOnly: first(config, 'identitiesonly') === 'yes',
    agent: agentSocket(config, options, path),
    proxy: proxyOf(config, options, host, port, tokens),
  };
}

function configuredIdentities(config: SshConfig, home: string): readonly string[] {
  if (config.size === 0) return defaultIdentities.map((name) => join(home, '.ssh', name));
  return (config.get('identityfile') ?? []).filter((file) => file !== 'none');
}

function agentSocket(config: SshConfig, { env }: SftpOptions, path: (text: string) => string[]): string | undefined {
  const configured = first(config, 'identityagent');
  if (configured === undefined || configured === 'SSH_AUTH_SOCK') return env['SSH_AUTH_SOCK'] || undefined;
  return configured.startsWith('$') ? env[configured.slice(1)] : path(configured)[0];
}

function proxyOf(
  config: SshConfig,
  { sshConfig }: SftpOptions,
  host: string,
  port: number,
  tokens: Readonly<Record<string, string>>,
): Proxy | undefined {
  const jump = first(config, 'proxyjump');
  if (jump !== undefined) {
    const hops = jump.split(',').map((hop) => (hop.startsWith('ssh://') ? hop : `ssh://${hop}`));
    const last = hops.pop() ?? '';
    return {
      jump: [
        ...(sshConfig === undefined ? [] : ['-F', sshConfig]),
        // There is no terminal for questions.
        ...['-o', 'BatchMode=yes', '-o', 'ClearAllForwardings=no'],
        ...(hops.length === 0 ? [] : ['-J', hops.join(',')]),
        ...['-W', host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`],
        ...['--', last],
      ],
    };
  }
  const command = first(config, 'proxycommand');
  return command === undefined ? undefined : { command: expandTokens(command, tokens) ?? command };
}

/** The first value of a keyword. OpenSSH writes `none` for no value. */
function first(config: SshConfig, keyword: string): string | undefined {
  const value = config.get(keyword)?.[0];
  return value === 'none' ? undefined : value;
}

function words(config: SshConfig, keyword: string): string[] {
  return (config.get(keyword) ?? []).flatMap((value) => value.split(' '));
}

/** A path of the SSH configuration with `~` and `%` tokens replaced; empty if a token is unknown. */
function expandPath(text: string, home: string, tokens: Readonly<Record<string, string>>): string[] {
  const expanded = expandTokens(text.startsWith('~/') ? join(home, text.slice(2)) : text, tokens);
  return expanded === undefined ? [] : [expanded];
}

function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string | undefined {
  let known = true;
  const expanded = text.replaceAll(/%(.)/g, (_, token: string) => {
    if (token === '%') return '%';
    known &&= tokens[token] !== undefined;
    return tokens[token] ?? '';
  });
  return known ? expanded : undefined;
}
