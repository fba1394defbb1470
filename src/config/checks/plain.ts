import type { SettingName, Values } from '../definition.js';
import { resolvePath } from '../paths.js';
import type { Limits, SshConfig } from '../types.js';
import type { Context } from './context.js';

/* Settings that are taken as they are: whatever can be wrong with them shows in each alone. */

/** Bounds for what callers may take. */
export function limitsOf({ values }: Context): Limits {
  return {
    maxObjectBytes: number(values['max-object-size']),
    minFreeBytes: number(values['min-free-space']),
    maxHeaderBytes: number(values['max-header-size']),
    headerTimeoutMs: number(values['header-timeout']),
    minRate: number(values['min-rate']),
    stallMs: number(values['stall-timeout']),
    idleMs: number(values['idle-timeout']),
    maxConnections: number(values['max-connections']),
    maxRequests: number(values['max-requests']),
    maxUploads: number(values['max-uploads']),
    queueMs: number(values['queue-timeout']),
    maxStreams: number(values['max-streams']),
    maxResets: number(values['max-resets']),
  };
}

/** How to log in to SSH servers. */
export function sshOf({ values, origins }: Context): SshConfig {
  const resolved = (name: SettingName, path: string): string => resolvePath(path, origins.surroundingsOf(name));
  const path = (name: 'ssh-passphrase-file' | 'ssh-password-file' | 'ssh-config'): string | undefined =>
    values[name] === undefined ? undefined : resolved(name, values[name]);
  const paths = (name: 'ssh-identity' | 'ssh-known-hosts'): string[] | undefined =>
    values[name]?.map((each) => resolved(name, each));
  return defined({
    identities: paths('ssh-identity'),
    passphraseFile: path('ssh-passphrase-file'),
    passphraseEnv: values['ssh-passphrase-env'],
    passwordFile: path('ssh-password-file'),
    knownHosts: paths('ssh-known-hosts'),
    sshConfig: values['ssh-config'] === 'none' ? 'none' : path('ssh-config'),
    insecureIgnoreHostKey: values['insecure-ignore-host-key'] ?? false,
  });
}

/** Each of these has a default, so only a value with a problem is missing, and then no config comes of it. */
function number(value: Values[SettingName] & (number | undefined)): number {
  return value ?? NaN;
}

/** The same without what is undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
