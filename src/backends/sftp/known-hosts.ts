import { createHmac, timingSafeEqual } from 'node:crypto';

/** One line of a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
export interface KnownHost {
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  /** Whether the line applies to a host of this name: `example.org`, or `[example.org]:2222` for a port other than 22. */
  matches(name: string): boolean;
  /** As in `ssh-ed25519`. */
  readonly type: string;
  /** The public key in wire format. */
  readonly key: Buffer;
  /** The file and the line, for messages. */
  readonly where: string;
}

/** What known_hosts files say about a key that a host offers. */
export type Verdict =
  | { readonly is: 'trusted' }
  | { readonly is: 'revoked'; readonly where: string }
  /** Other keys are known; `sameType`: one of the same type, as it would be in an attack. */
  | { readonly is: 'mismatch'; readonly sameType: boolean; readonly where: readonly string[] }
  /** Only certificates of an authority would be trusted. */
  | { readonly is: 'authority'; readonly where: string }
  | { readonly is: 'unknown' };

/** Parses a known_hosts file. Skips comments and lines that it doesn't understand, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => parseLine(line.trim(), `${file}:${index + 1}`) ?? []);
}

/** The names that a host may have in known_hosts files, the most specific first. */
export function knownHostNames(host: string, port: number): string[] {
  const name = host.toLowerCase();
  return port === 22 ? [name] : [`[${name}]:${port}`, name];
}

/** The types of the keys that are known for a host, by the first of its names for which there are any. */
export function knownTypes(hosts: readonly KnownHost[], names: readonly string[]): string[] {
  const types = names.map((name) => plainLines(matching(hosts, [name])).map(({ type }) => type));
  return [...new Set(types.find(({ length }) => length > 0))];
}

/**
 * What the files say about `key`, of `type`, that the host of these names offers. As in OpenSSH a less specific name counts only where
 * no key of that type is known by a more specific one, and only if it has this very key. A revoked key is refused by any name.
 */
export function verify(hosts: readonly KnownHost[], names: readonly string[], type: string, key: Buffer): Verdict {
  const revoked = matching(hosts, names).find((line) => line.marker === 'revoked' && line.key.equals(key));
  if (revoked !== undefined) return { is: 'revoked', where: revoked.where };
  const [specific = { is: 'unknown' }, ...others] = names.map((name) => verifyName(matching(hosts, [name]), type, key));
  const hasChanged = specific.is === 'mismatch' && specific.sameType;
  return (!hasChanged && others.find(({ is }) => is === 'trusted')) || specific;
}

function verifyName(lines: readonly KnownHost[], type: string, key: Buffer): Verdict {
  const plain = plainLines(lines);
  if (plain.some((line) => line.key.equals(key))) return { is: 'trusted' };
  if (plain.length > 0) {
    const sameType = plain.filter((line) => line.type === type);
    const shown = sameType.length > 0 ? sameType : plain;
    return { is: 'mismatch', sameType: sameType.length > 0, where: shown.map(({ where }) => where) };
  }
  const authority = lines.find(({ marker }) => marker === 'cert-authority');
  return authority === undefined ? { is: 'unknown' } : { is: 'authority', where: authority.where };
}

function plainLines(lines: readonly KnownHost[]): KnownHost[] {
  return lines.filter(({ marker }) => marker === undefined);
}

function matching(hosts: readonly KnownHost[], names: readonly string[]): KnownHost[] {
  return hosts.filter((line) => names.some((name) => line.matches(name)));
}

function parseLine(line: string, where: string): KnownHost | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  const fields = line.split(/[ \t]+/);
  const marker = fields[0]?.startsWith('@') === true ? fields.shift()?.slice(1) : undefined;
  if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return undefined;
  const [names, type, encoded] = fields;
  if (names === undefined || type === undefined || encoded === undefined) return undefined;
  const key = Buffer.from(encoded, 'base64');
  // The key itself starts with its type. This also rules out lines of protocol 1.
  if (key.length < 4 + type.length || key.toString('latin1', 4, 4 + key.readUInt32BE(0)) !== type) return undefined;
  const matches = names.startsWith('|') ? hashedMatcher(names) : patternMatcher(names);
  return matches === undefined ? undefined : { marker, matches, type, key, where };
}

/** `|1|salt|hash`: HMAC-SHA1 of the name. */
function hashedMatcher(text: string): ((name: string) => boolean) | undefined {
  const [, version, saltText = '', hashText = ''] = text.split('|');
  const salt = Buffer.from(saltText, 'base64');
  const hash = Buffer.from(hashText, 'base64');
  if (version !== '1' || salt.length === 0 || hash.length !== 20) return undefined;
  return (name) => timingSafeEqual(createHmac('sha1', salt).update(name).digest(), hash);
}

/** Comma-separated patterns with `*` and `?`; a match of one that starts with `!` excludes the host. */
function patternMatcher(text: string): (name: string) => boolean {
  const patterns = text.toLowerCase().split(',');
  const included = patterns.filter((pattern) => !pattern.startsWith('!')).map(wildcard);
  const excluded = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => wildcard(pattern.slice(1)));
  return (name) => included.some((one) => one.test(name)) && !excluded.some((one) => one.test(name));
}

function wildcard(pattern: string): RegExp {
  // Runs of `*` are collapsed: they would make the regular expression backtrack exponentially.
  const escaped = pattern.replaceAll(/\*+/g, '*').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('\\*', '.*').replaceAll('\\?', '.')}$`);
}
