import { hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { SingleFlight } from '../lib/single-flight.js';
import { bcryptCost, type Htpasswd } from './htpasswd.js';

export interface PasswordsOptions {
  readonly htpasswd: Htpasswd;
  /** Whether a bcrypt hash matches a password; takes long. */
  readonly compare: (password: string, hash: string) => Promise<boolean>;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
}

/** How long a verified password is remembered, in milliseconds. */
const rememberMs = 60_000;
/** More than an htpasswd file has lines. */
const maxRemembered = 10_000;

/** A salt and a hash, in bcrypt's base64, that match no password. */
const matchesNothing = 'kloset.gateway.nobodys/SALTkloset.gateway.nobodys/HAS';

/**
 * Checks passwords against an htpasswd file. A verified password is remembered for a minute, by a keyed hash, so that further requests
 * don't wait for bcrypt. A changed file gets a new object, which remembers nothing.
 */
export class Passwords {
  /** Of fixed length, so that different keys and texts never concatenate to the same string. */
  private readonly key = randomBytes(32).toString('hex');
  /** The fingerprints of verified passwords. */
  private readonly verified: LRUCache<string, true>;
  private readonly checks = new SingleFlight<boolean>();
  private readonly costs: readonly number[];

  constructor(private readonly options: PasswordsOptions) {
    const { htpasswd, now } = options;
    this.costs = [...htpasswd.entries.values()].map((each) => bcryptCost(each) ?? 0);
    this.verified = new LRUCache({ max: maxRemembered, ttl: rememberMs, ttlResolution: 0, perf: { now } });
  }

  /** Identifies a name and password. Reveals neither without this object's key. */
  fingerprint(name: string, password: string): string {
    // Names contain no colon.
    return this.keyed(`${name}:${password}`);
  }

  /** Whether this name and password were verified within the last minute. */
  isRemembered(fingerprint: string): boolean {
    return this.verified.get(fingerprint) === true;
  }

  /** Whether the file has this name with this password. Concurrent checks of the same pair are one. */
  async check(name: string, password: string): Promise<boolean> {
    const fingerprint = this.fingerprint(name, password);
    if (this.isRemembered(fingerprint)) return true;
    return this.checks.run(async () => {
      const known = this.options.htpasswd.entries.get(name);
      const matches = await this.options.compare(password, known ?? this.dummyFor(name));
      if (known === undefined || !matches) return false;
      this.verified.set(fingerprint, true);
      return true;
    }, fingerprint);
  }

  /**
   * A hash for an unknown name, so that checking it takes as long as for a known one. If the file's hashes differ in cost, so do those of
   * unknown names; the same name always gets the same cost.
   */
  private dummyFor(name: string): string {
    const cost = this.costs[parseInt(this.keyed(name).slice(0, 8), 16) % this.costs.length] ?? 10;
    return `$2b$${String(cost).padStart(2, '0')}$${matchesNothing}`;
  }

  /**
   * 64 hex digits. Not an HMAC, which takes four times as long and would run for every request: it prevents length extension, which does
   * not matter for values that never leave this object.
   */
  private keyed(text: string): string {
    return hash('sha256', this.key + text, 'hex');
  }
}
