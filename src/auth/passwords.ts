import { hash, randomBytes } from 'node:crypto';
import { bcryptCost, type Htpasswd } from './htpasswd.js';
import { isRecent } from './recent.js';
import { SingleFlight } from '../lib/single-flight.js';

export interface PasswordsOptions {
  readonly htpasswd: Htpasswd;
  /** Whether a bcrypt hash was made of a password; takes long. */
  readonly compare: (password: string, hash: string) => Promise<boolean>;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
}

/** How long a password that was right is right without looking again, in milliseconds. */
const rememberMs = 60_000;
/** How many are remembered at most: more than a file of people's passwords has. */
const maxRemembered = 10_000;

/** A salt and a hash, in bcrypt's base64, that stand for nobody's password. */
const nobodys = 'kloset.gateway.nobodys/SALTkloset.gateway.nobodys/HAS';

/**
 * The passwords of an htpasswd file. One that was right is remembered for a minute, by a keyed hash of itself, so that requests
 * don't wait for bcrypt; with a new file comes a new object, which remembers nothing.
 */
export class Passwords {
  /** Of a length of its own, so that it and what follows can't run into each other. */
  private readonly key = randomBytes(32).toString('hex');
  /** When a name and password were last found right, in milliseconds; the oldest first. */
  private readonly remembered = new Map<string, number>();
  private readonly checks = new SingleFlight<boolean>();
  private readonly costs: readonly number[];

  constructor(private readonly options: PasswordsOptions) {
    this.costs = [...options.htpasswd.entries.values()].map((each) => bcryptCost(each) ?? 0);
  }

  /** What stands for a name and password, and tells nobody without this object's key what they are. */
  fingerprint(name: string, password: string): string {
    // Names have no colon.
    return this.keyed(`${name}:${password}`);
  }

  /** Whether these were found right within the last minute. */
  isRemembered(fingerprint: string): boolean {
    const at = this.remembered.get(fingerprint);
    return at !== undefined && this.isFresh(at);
  }

  /** Whether the file has this name with this password. Those under way at once are checked once. */
  async check(name: string, password: string): Promise<boolean> {
    const fingerprint = this.fingerprint(name, password);
    if (this.isRemembered(fingerprint)) return true;
    return this.checks.run(fingerprint, async () => {
      const known = this.options.htpasswd.entries.get(name);
      const same = await this.options.compare(password, known ?? this.dummyFor(name));
      if (known === undefined || !same) return false;
      this.remember(fingerprint);
      return true;
    });
  }

  /**
   * A hash for a name that isn't there, so that it takes as long as one that is. Where the file's hashes differ in cost, the
   * unknown names' do in the same way: each has the cost of some line, and always of the same one.
   */
  private dummyFor(name: string): string {
    const cost = this.costs[parseInt(this.keyed(name).slice(0, 8), 16) % this.costs.length] ?? 10;
    return `$2b$${String(cost).padStart(2, '0')}$${nobodys}`;
  }

  private remember(fingerprint: string): void {
    this.remembered.delete(fingerprint);
    this.remembered.set(fingerprint, this.options.now());
    for (const [oldest, at] of this.remembered) {
      if (this.isFresh(at) && this.remembered.size <= maxRemembered) break;
      this.remembered.delete(oldest);
    }
  }

  private isFresh(at: number): boolean {
    return isRecent(at, this.options.now(), rememberMs);
  }

  /**
   * 64 hex digits. Not an HMAC, which takes four times as long, for every request: what that is better at (an attacker who sees the
   * result could go on with it) doesn't matter for what never leaves this object.
   */
  private keyed(text: string): string {
    return hash('sha256', this.key + text, 'hex');
  }
}
