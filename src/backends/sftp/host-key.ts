import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { knownHostNames, knownTypes, parseKnownHosts, verify, type KnownHost, type Verdict } from './known-hosts.js';
import { ConnectFailure } from './status.js';
import type { Target } from './target.js';

/** Verifies the identity of a server. */
export interface HostKeys {
  /** The algorithms to negotiate: first those of the keys known for the server, since a key of another type would be a mismatch. */
  readonly algorithms: ServerHostKeyAlgorithm[];
  /** Throws a ConnectFailure, `permission_denied`, unless this key, in wire format, is the server's. */
  check(key: Buffer): void;
}

/** Signature algorithms by the type of key, in order of preference. Without RSA with SHA-1, as in OpenSSH. */
const algorithmsOf: Readonly<Record<string, ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Reads the known_hosts files of `target`; a missing one counts as empty. */
export async function hostKeys(target: Target): Promise<HostKeys> {
  if (target.insecure) return { algorithms: preferred([]), check: () => undefined };
  const lines = (await Promise.all(target.knownHosts.map(readKnownHosts))).flat();
  const names = target.hostKeyAlias === undefined ? knownHostNames(target.host, target.port) : [target.hostKeyAlias];
  return {
    algorithms: preferred(knownTypes(lines, names)),
    check(key) {
      const type = key.toString('latin1', 4, 4 + key.readUInt32BE(0));
      const verdict = verify(lines, names, type, key);
      if (verdict.is === 'trusted') return;
      throw new ConnectFailure('permission_denied', refusal(target, names, verdict, type, key));
    },
  };
}

/** As OpenSSH shows it: `SHA256:` and the hash in base64 without padding. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replaceAll('=', '')}`;
}

function preferred(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = types.flatMap((type) => algorithmsOf[type] ?? []);
  return [...new Set([...known, ...Object.values(algorithmsOf).flat()])];
}

async function readKnownHosts(file: string): Promise<KnownHost[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw new ConnectFailure('invalid_argument', `the known hosts in ${file} can't be read`, { cause: error });
  }
}

type Refused = Exclude<Verdict, { is: 'trusted' }>;

function refusal(target: Target, names: readonly string[], verdict: Refused, type: string, key: Buffer): string {
  const name = names[0] ?? target.host;
  const offered = `it offered ${type} ${fingerprint(key)}`;
  const login = `ssh ${target.port === 22 ? '' : `-p ${target.port} `}${target.user}@${target.host}`;
  switch (verdict.is) {
    case 'revoked':
      return `the host key of ${name} is revoked in ${verdict.where}: ${offered}. Ask the server's operator for a new key.`;
    case 'authority':
      return (
        `the host key of ${name} is known through a certificate authority only (${verdict.where}), and the gateway can't ` +
        `check host certificates: ${offered}. Compare that with the server's own key and add it as a line of its own.`
      );
    case 'mismatch':
      return (
        `the host key of ${name} is not the one in ${verdict.where.join(', ')}: ${offered}. ` +
        (verdict.sameType
          ? 'The server was set up anew, or someone is in between. Once its operator has confirmed the new key, run: '
          : `Keys of other types are known for it. Once the server's operator has confirmed this one, run: `) +
        `ssh-keygen -R '${name}' -f ${fileOf(verdict.where[0] ?? '')} && ${login}`
      );
    case 'unknown':
      return (
        `the host key of ${name} is unknown: ${offered}, which is not in ${listed(target.knownHosts)}. ` +
        `Run: ${login}  and compare the fingerprint with that of the server's operator before you accept it.`
      );
  }
}

function fileOf(where: string): string {
  return where.replace(/:\d+$/, '');
}

function listed(files: readonly string[]): string {
  return files.length === 0 ? 'any file, as none is configured' : files.join(', ');
}
