import { timingSafeEqual } from 'node:crypto';
import type { PrincipalConfig } from '../config/types.js';
import { tokenDigest } from './tokens.js';

/** Compares byte strings of equal length in constant time. */
export type CompareBytes = (a: Uint8Array, b: Uint8Array) => boolean;

/** A principal's token. */
export interface KnownToken {
  readonly principal: PrincipalConfig;
  /** When it expires, in milliseconds since 1970-01-01 UTC. */
  readonly expiresMs: number;
}

/**
 * The tokens of all principals.
 *
 * They are looked up by their SHA-256. The time of a lookup may depend on the table, which does not help an attacker: tokens are 32 random
 * bytes, so finding one with a certain digest takes 2^256 attempts, and knowing a digest does not reveal the token. The comparison that
 * decides takes constant time, and there is exactly one for each secret: with zeros if the token is unknown.
 */
export class TokenTable {
  private readonly byDigest = new Map<string, KnownToken & { readonly digest: Uint8Array }>();
  private readonly noToken = Buffer.alloc(32);

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

  /** The known token, whether or not it has expired. */
  find(token: string): KnownToken | undefined {
    const digest = tokenDigest(token);
    const known = this.byDigest.get(digest);
    const same = this.sameBytes(Buffer.from(digest, 'hex'), known?.digest ?? this.noToken);
    return same ? known : undefined;
  }
}
