import { hash } from 'node:crypto';

/** What a token starts with: people and secret scanners can tell what it is for. */
const prefix = 'kgw_';
const randomLength = 32;

/** A new token. */
export interface NewToken {
  /** The secret, to be shown once: `kgw_` and 43 characters of base64url. */
  readonly token: string;
  /** What is kept of it: 64 lower-case hex digits. */
  readonly sha256: string;
}

/** Makes a token of 32 random bytes, which nobody can guess, so a plain SHA-256 is all that has to protect it. */
export function createToken(randomBytes: (size: number) => Buffer): NewToken {
  const token = prefix + randomBytes(randomLength).toString('base64url');
  return { token, sha256: tokenDigest(token) };
}

/** A token's SHA-256, as configurations keep it: 64 lower-case hex digits. */
export function tokenDigest(token: string): string {
  return hash('sha256', token, 'hex');
}
