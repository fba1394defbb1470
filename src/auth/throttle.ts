import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../core/errors.js';
import { addressGroup } from './address-group.js';
import { OneByOne } from '../lib/serial-queue.js';
import { isRecent } from './recent.js';

export interface LoginThrottleOptions {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. By default with a timer that doesn't keep the program running. */
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** Is told the address of each failed login, for others to `count`. */
  readonly onFailure?: (address: string) => void;
}

/** Failed logins of one address. */
interface Failures {
  /** When the last ones were, in milliseconds; no more than matter. */
  times: number[];
  /** How many answers are being held back. */
  delayed: number;
}

/** How long a failed login counts, in milliseconds. */
const windowMs = 60_000;
/** So many in that time have no consequence; the delay doubles with each one after them. */
const freeFailures = 5;
const firstDelayMs = 100;
const maxDelayMs = 5000;
/** Answers that are held back at once for one address: each takes up a connection. */
const maxDelayed = 16;
/** Passwords of one address that wait for their check: as many machines may be behind it, and start at the same hour. */
const maxChecks = 256;
/** Addresses that are remembered; the one that failed longest ago is forgotten first. */
const maxAddresses = 10_000;
/** With so many the delay is the longest: more need not be remembered. */
const countedFailures = freeFailures + Math.ceil(Math.log2(maxDelayMs / firstDelayMs));
/** A peer's address where it came by a unix socket. */
const exempt = 'unix socket';

/**
 * Slows down whoever tries to guess. After five failed logins of an address within a minute its next failing answers are held
 * back, from 100 milliseconds up to 5 seconds, and where 16 are, the others fail at once with `too_many_requests`. Passwords, which cost
 * time to check and may be guessed, are checked one by one for each address, and only after that delay. A good token never waits,
 * so that whoever shares an address with a guesser goes on working: 32 random bytes are never guessed, however fast.
 *
 * A unix socket is exempt: the file's permissions say who may use it, and a proxy may be behind it, for everyone.
 *
 * It is kept when a configuration is reloaded. Of several processes that are one gateway each has its own, and they tell each other of failed
 * logins; what is held back or waits is counted in each.
 */
export class LoginThrottle {
  /** By address; the one that failed last is at the end. */
  private readonly addresses = new Map<string, Failures>();
  private readonly checks = new OneByOne();
  private readonly now: () => number;
  private readonly sleep: (ms: number) => Promise<unknown>;
  private readonly onFailure: ((address: string) => void) | undefined;

  constructor({ now, sleep: wait, onFailure }: LoginThrottleOptions) {
    this.now = now;
    this.sleep = wait ?? ((ms) => sleep(ms, undefined, { ref: false }));
    this.onFailure = onFailure;
  }

  /**
   * Counts a failed login, and fails with its error when it is time to.
   *
   * @param address as in Peer
   */
  async fail(address: string, error: StoreError): Promise<never> {
    const ms = this.delayMs(address);
    this.failed(address);
    await this.holdBack(address, ms);
    throw error;
  }

  /**
   * Runs a check that takes long, when it is time to. Fails with `error` where it finds the secret wrong, which is a failed login,
   * and with `too_many_requests` where too many wait.
   */
  async attempt(address: string, check: () => Promise<boolean>, error: StoreError): Promise<void> {
    const ms = this.delayMs(address);
    await this.holdBack(address, ms);
    const key = addressGroup(address);
    if (this.checks.waiting(key) >= maxChecks) {
      throw new StoreError(
        'too_many_requests',
        'too many passwords of your address wait to be checked: try again later',
      );
    }
    if (await this.checks.run(key, check)) return;
    // Each failing answer is held back once.
    if (ms === 0) return this.fail(address, error);
    this.failed(address);
    throw error;
  }

  /** Counts a failed login of an address, which somebody else answers. */
  count(address: string): void {
    if (address === exempt) return;
    const key = addressGroup(address);
    const failures = this.addresses.get(key) ?? { times: [], delayed: 0 };
    failures.times = [...failures.times.slice(1 - countedFailures), this.now()];
    this.addresses.delete(key);
    this.addresses.set(key, failures);
    for (const [oldest, { times }] of this.addresses) {
      const forgotten = !this.isRecent(times.at(-1) ?? 0);
      if (!forgotten && this.addresses.size <= maxAddresses) break;
      this.addresses.delete(oldest);
    }
  }

  private failed(address: string): void {
    this.count(address);
    this.onFailure?.(address);
  }

  /** How long the next failing answer is held back, in milliseconds. */
  private delayMs(address: string): number {
    const times = this.addresses.get(addressGroup(address))?.times ?? [];
    const excess = times.filter((time) => this.isRecent(time)).length - freeFailures;
    return excess < 0 ? 0 : Math.min(firstDelayMs * 2 ** excess, maxDelayMs);
  }

  private async holdBack(address: string, ms: number): Promise<void> {
    const failures = this.addresses.get(addressGroup(address));
    if (failures === undefined || ms === 0) return;
    if (failures.delayed >= maxDelayed) throw tooMany();
    failures.delayed++;
    try {
      await this.sleep(ms);
    } finally {
      failures.delayed--;
    }
  }

  private isRecent(time: number): boolean {
    return isRecent(time, this.now(), windowMs);
  }
}

function tooMany(): StoreError {
  return new StoreError('too_many_requests', 'too many failed logins from your address: wait a minute, then try again');
}
