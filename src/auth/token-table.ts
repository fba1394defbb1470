import { timingSafeEqual } from 'node:crypto';
import type { PrincipalConfig } from '../config/types.js';
import { tokenDigest } from './tokens.js';

/** Compares byte strings of one length, in a time that doesn't tell where they differ. */
export type CompareBytes = (a: Uint8Array, b: Uint8Array) => boolean;

/** A token that somebody has. */
export interface KnownToken {
  readonly principal: PrincipalConfig;
  /** When it ends, in milliseconds since 1970-01-01 UTC. */
  readonly expiresMs: number;
}

/**
 * The tokens of all principals.
 *
 * They are looked up by their SHA-256, and how long a lookup takes may depend on what is there. That helps nobody: tokens are
 * 32 random bytes, so one can be aimed at a digest only by trying 2^256 of them, and even a whole digest, known, isn't a token.
 * The comparison that decides takes the same time whatever is compared, and there is exactly one for each secret that comes:
 * with zeros, where nobody has it.
 */
export class TokenTable {
  private readonly byDigest = new Map<string, KnownToken & { readonly digest: Uint8Array }>();
  private readonly nobodys = Buffer.alloc(32);

  constructor(
    principals: readonly PrincipalConfig[],
    private readonly sameBytes: CompareBytes = timingSafeEqual,
  ) {
    for (const principal of principals) {
      for (const { sha256, expiresMs = Infinity } of principal.tokens) {
        this.byDigest.set(sha256, { principal, expiresMs, digest: Buffer.from(sha256, 'hex') });
      }
    }
  }

  /** Whose token this is, whether or not it has expired. */
  find(token: string): KnownToken | undefined {
    const digest = tokenDigest(token);
    const known = this.byDigest.get(digest);
    const same = this.sameBytes(Buffer.from(digest, 'hex'), known?.digest ?? this.nobodys);
    return same ? known : undefined;
  }
}
