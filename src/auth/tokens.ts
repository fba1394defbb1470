import { hash } from 'node:crypto';

/** Every token starts with it, so that people and secret scanners recognise one. */
const prefix = 'kgw_';
const randomLength = 32;

/** A new token. */
export interface NewToken {
  /** The secret, to be shown once: `kgw_` and 43 characters of base64url. */
  readonly token: string;
  /** What a configuration stores: 64 lower-case hex digits. */
  readonly sha256: string;
}

/** Creates a token of 32 random bytes. It can't be guessed, so a plain SHA-256 protects it well enough. */
export function createToken(randomBytes: (size: number) => Buffer): NewToken {
  const token = prefix + randomBytes(randomLength).toString('base64url');
  return { token, sha256: tokenDigest(token) };
}

/** A token's SHA-256, as configurations store it: 64 lower-case hex digits. */
export function tokenDigest(token: string): string {
  return hash('sha256', token, 'hex');
}
