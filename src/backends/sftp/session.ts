import { clearInterval, setInterval } from 'node:timers';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, SFTPWrapper } from 'ssh2';
import type { LinkOptions } from './options.js';
import { featuresOf, type Features } from './features.js';
import { LostConnection, statusOf } from './status.js';
import type { Transport } from './transport.js';

type Done<T> = (error: Error | null | undefined, value: T) => void;

interface Pending {
  readonly sinceMs: number;
  readonly limitMs: number;
  reject(error: LostConnection): void;
}

/**
 * One SSH connection with one SFTP channel. It either answers a request or dies: ssh2 forgets requests when a connection ends
 * (mscdex/ssh2#1490), so every one is kept here until it is answered, and fails with LostConnection when the session ends.
 */
export class Session {
  readonly features: Features;
  private readonly pending = new Set<Pending>();
  private readonly watch: NodeJS.Timeout;
  private readonly listeners: ((reason: string) => void)[] = [];
  private readonly silenceMs: number;
  private dead: LostConnection | undefined;
  private carriedBytes = 0;
  private received = 0;
  private heardMs = Date.now();
  private answeredMs = Date.now();
  private fastestMs = Infinity;
  private tickMs = Date.now();

  constructor(
    private readonly client: Client,
    private readonly sftp: SFTPWrapper,
    private readonly transport: Transport,
    private readonly options: LinkOptions,
  ) {
    this.features = featuresOf(sftp);
    this.silenceMs = 3 * options.keepAliveMs;
    const over = (what: string) => (error?: unknown) => {
      this.kill(error instanceof Error ? `${what}: ${error.message}` : what);
    };
    client.on('error', over('it failed')).on('end', over('the server ended it')).on('close', over('it was closed'));
    sftp.on('error', over('its SFTP channel failed'));
    sftp.on('end', over('the server ended its SFTP channel'));
    sftp.on('close', over('its SFTP channel was closed'));
    this.watch = setInterval(
      () => {
        this.check(Date.now());
      },
      Math.min(1000, options.keepAliveMs),
    );
    this.watch.unref();
  }

  /** Whether it can be used no more. */
  get isDead(): boolean {
    return this.dead !== undefined;
  }

  /** How many bytes it was given to carry, and how many requests are under way. */
  get load(): { readonly bytes: number; readonly requests: number } {
    return { bytes: this.carriedBytes, requests: this.pending.size };
  }

  /** How far away the server is: what its fastest answer took so far, in whole milliseconds; 0 before the first. */
  get roundTripMs(): number {
    return Number.isFinite(this.fastestMs) ? this.fastestMs : 0;
  }

  /** Counts `bytes` of data as given to it; the function that it returns takes them off again, and has to be called once. */
  carry(bytes: number): () => void {
    this.carriedBytes += bytes;
    return () => {
      this.carriedBytes -= bytes;
    };
  }

  /** Calls `listener` once, when it died. */
  onDeath(listener: (reason: string) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Sends one request. Fails with the server's status as ssh2 gives it, or with LostConnection when the session ends first,
   * as it does when the request isn't answered in time.
   *
   * @param start makes the request; ssh2 calls `done` with the answer
   * @param limitMs how long the answer may take in milliseconds, where that isn't the usual time
   */
  request<T>(start: (sftp: SFTPWrapper, done: Done<T>) => void, limitMs?: number): Promise<T> {
    if (this.dead !== undefined) return Promise.reject(this.dead);
    return new Promise<T>((resolve, reject) => {
      const pending = { sinceMs: Date.now(), limitMs: limitMs ?? this.options.requestTimeoutMs, reject };
      this.pending.add(pending);
      const done: Done<T> = (error, value) => {
        if (!this.pending.delete(pending)) return;
        if (error === null || error === undefined) {
          this.answeredMs = Date.now();
          this.fastestMs = Math.min(this.fastestMs, this.answeredMs - pending.sinceMs);
          resolve(value);
        } else if (statusOf(error) === undefined) {
          // Not from the server: ssh2 lost the connection, or its thread.
          reject(new LostConnection(error.message, { cause: error }));
          this.kill(error.message);
        } else {
          this.answeredMs = Date.now();
          reject(error);
        }
      };
      try {
        start(this.sftp, done);
      } catch (error) {
        done(error as Error, undefined as T);
      }
    });
  }

  /** Ends it in order. Requests under way fail. Never fails, and takes two seconds at most. */
  async end(): Promise<void> {
    if (this.dead !== undefined) return;
    const closed = once(this.client, 'close').catch(() => undefined);
    this.client.end();
    this.settle(new LostConnection('the store is closed'));
    await Promise.race([closed, sleep(2000, undefined, { ref: false })]);
    this.transport.destroy();
  }

  /** Ends it at once. */
  kill(reason: string): void {
    if (this.dead !== undefined) return;
    this.settle(new LostConnection(`the connection to the store's server is lost: ${reason}`));
    this.transport.destroy();
  }

  private settle(reason: LostConnection): void {
    this.dead = reason;
    clearInterval(this.watch);
    const pending = [...this.pending];
    this.pending.clear();
    for (const { reject } of pending) reject(reason);
    for (const listener of this.listeners) listener(reason.message);
  }

  private check(nowMs: number): void {
    const received = this.transport.receivedBytes();
    // When this process itself stood still, nothing can be said about the other side.
    const stoodStill = nowMs - this.tickMs > this.silenceMs / 2;
    this.tickMs = nowMs;
    if (received !== this.received || stoodStill) {
      this.received = received;
      this.heardMs = nowMs;
    } else if (nowMs - this.heardMs > this.silenceMs) {
      this.kill(`nothing was heard for ${nowMs - this.heardMs} ms`);
      return;
    }
    // The oldest first. What waits behind a long transfer is not late as long as answers come.
    const [oldest] = this.pending;
    if (oldest !== undefined && nowMs - Math.max(oldest.sinceMs, this.answeredMs) > oldest.limitMs) {
      this.kill(`a request was not answered for ${nowMs - oldest.sinceMs} ms`);
    }
  }
}
