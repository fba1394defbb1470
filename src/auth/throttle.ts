import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { StoreError } from '../core/errors.js';
import { SerialQueue } from '../lib/serial-queue.js';
import { addressGroup } from '../lib/ip-address.js';

export interface LoginThrottleOptions {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. By default with a timer that doesn't keep the process running. */
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** Called with the address of each failed login, for other processes to `count`. */
  readonly onFailure?: (address: string) => void;
}

/** Failed logins of one address. */
interface Failures {
  /** When the last ones were, in milliseconds; at most `countedFailures`. */
  times: number[];
  /** How many responses are being delayed. */
  delayed: number;
}

/** How long a failed login counts, in milliseconds. */
const windowMs = 60_000;
/** So many failures in that time are not delayed; the delay doubles with each one after them. */
const freeFailures = 5;
const firstDelayMs = 100;
const maxDelayMs = 5000;
/** How many responses to one address are delayed at once: each occupies a connection. */
const maxDelayed = 16;
/** How many password checks of one address run or wait. Many machines may share an address, and start at the same hour. */
const maxChecks = 256;
/** How many addresses are remembered. */
const maxAddresses = 10_000;
/** With so many failures the delay is the longest one; older ones don't matter. */
const countedFailures = freeFailures + Math.ceil(Math.log2(maxDelayMs / firstDelayMs));
/** The address of peers on unix sockets. */
const exempt = 'unix socket';

/**
 * Slows down password and token guessing. After five failed logins of an address within a minute, the responses to its next failures are
 * delayed, from 100 milliseconds up to 5 seconds; while 16 are delayed, further ones fail at once with `too_many_requests`. Password
 * checks, which take long and can succeed by guessing, run one at a time for each address, and only after that delay. Valid tokens are
 * never delayed: they can't be guessed, and others may share the address.
 *
 * Unix sockets are exempt: file permissions say who may use them, and one may carry all connections of a proxy.
 *
 * A throttle outlives configurations. In a gateway of several processes each has its own, and they tell each other of failed logins;
 * delayed responses and waiting checks are counted in each process.
 */
export class LoginThrottle {
  private readonly failures: LRUCache<string, Failures>;
  private readonly checks = new SerialQueue();
  private readonly now: () => number;
  private readonly sleep: (ms: number) => Promise<unknown>;
  private readonly onFailure: ((address: string) => void) | undefined;

  constructor({ now, sleep: wait, onFailure }: LoginThrottleOptions) {
    this.now = now;
    this.failures = new LRUCache({ max: maxAddresses, ttl: windowMs, ttlResolution: 0, perf: { now } });
    this.sleep = wait ?? ((ms) => sleep(ms, undefined, { ref: false }));
    this.onFailure = onFailure;
  }

  /**
   * Counts a failed login, and rejects with its error after the delay.
   *
   * @param address as in Peer
   */
  async fail(address: string, error: StoreError): Promise<never> {
    const ms = this.delayMs(address);
    this.countOwn(address);
    await this.delay(address, ms);
    throw error;
  }

  /**
   * Runs a password check after the delay. Rejects with `error`, as a failed login, if the password is wrong, and with
   * `too_many_requests` if too many checks wait.
   */
  async attempt(address: string, check: () => Promise<boolean>, error: StoreError): Promise<void> {
    const ms = this.delayMs(address);
    await this.delay(address, ms);
    const key = addressGroup(address);
    if (this.checks.length(key) >= maxChecks) {
      throw new StoreError(
        'too_many_requests',
        'too many passwords from your address are waiting to be checked: try again later',
      );
    }
    if (await this.checks.run(check, key)) return;
    // No response is delayed twice.
    if (ms === 0) return this.fail(address, error);
    this.countOwn(address);
    throw error;
  }

  /** Counts a failed login that another process has answered. */
  count(address: string): void {
    if (address === exempt) return;
    const key = addressGroup(address);
    const failures = this.failures.get(key) ?? { times: [], delayed: 0 };
    failures.times = [...failures.times.slice(1 - countedFailures), this.now()];
    this.failures.set(key, failures);
  }

  private countOwn(address: string): void {
    this.count(address);
    this.onFailure?.(address);
  }

  /** The delay of the next failure, in milliseconds. */
  private delayMs(address: string): number {
    const times = this.failures.get(addressGroup(address))?.times ?? [];
    const now = this.now();
    const excess = times.filter((time) => time <= now && now < time + windowMs).length - freeFailures;
    return excess < 0 ? 0 : Math.min(firstDelayMs * 2 ** excess, maxDelayMs);
  }

  private async delay(address: string, ms: number): Promise<void> {
    const failures = this.failures.get(addressGroup(address));
    if (failures === undefined || ms === 0) return;
    if (failures.delayed >= maxDelayed) {
      throw new StoreError(
        'too_many_requests',
        'too many failed logins from your address: wait a minute, then try again',
      );
    }
    failures.delayed++;
    try {
      await this.sleep(ms);
    } finally {
      failures.delayed--;
    }
  }
}
