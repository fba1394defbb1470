import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, SFTPWrapper } from 'ssh2';
import type { LinkOptions } from './options.js';
import { featuresOf, type Features } from './ssh2-internals.js';
import { LostConnection, statusOf } from './status.js';
import type { Transport } from './transport.js';

type Done<T> = (error: Error | null | undefined, value: T) => void;

interface Pending {
  readonly sinceMs: number;
  readonly limitMs: number;
  reject(error: LostConnection): void;
}

/**
 * One SSH connection with one SFTP channel. Every request is answered or fails with LostConnection when the session ends: ssh2 itself
 * forgets requests when a connection ends (mscdex/ssh2#1490), so they are tracked here.
 */
export class Session {
  readonly features: Features;
  /** Called when it ends. */
  onDeath: ((reason: string) => void) | undefined;
  private readonly pending = new Set<Pending>();
  private readonly watchdog: NodeJS.Timeout;
  private readonly silenceLimitMs: number;
  private dead: LostConnection | undefined;
  private loadBytes = 0;
  private receivedBytes = 0;
  private receivedMs = Date.now();
  private answeredMs = Date.now();
  private checkedMs = Date.now();
  private fastestMs = Infinity;

  constructor(
    private readonly client: Client,
    private readonly sftp: SFTPWrapper,
    private readonly transport: Transport,
    private readonly options: LinkOptions,
  ) {
    this.features = featuresOf(sftp);
    this.silenceLimitMs = 3 * options.keepAliveMs;
    const killed = (what: string) => (error?: unknown) =>
      this.kill(error instanceof Error ? `${what}: ${error.message}` : what);
    client
      .on('error', killed('it failed'))
      .on('end', killed('the server ended it'))
      .on('close', killed('it was closed'));
    sftp.on('error', killed('its SFTP channel failed'));
    sftp.on('end', killed('the server ended its SFTP channel'));
    sftp.on('close', killed('its SFTP channel was closed'));
    this.watchdog = setInterval(() => this.check(Date.now()), Math.min(1000, options.keepAliveMs)).unref();
  }

  /** Whether it has ended. */
  get isDead(): boolean {
    return this.dead !== undefined;
  }

  /** How many bytes of data it is transferring, and how many requests are pending. */
  get load(): { readonly bytes: number; readonly requests: number } {
    return { bytes: this.loadBytes, requests: this.pending.size };
  }

  /** The time of the fastest answer so far, in whole milliseconds: about the round trip to the server. 0 before the first answer. */
  get roundTripMs(): number {
    return Number.isFinite(this.fastestMs) ? this.fastestMs : 0;
  }

  /** Adds `bytes` to the load, until the function that it returns is called. */
  addLoad(bytes: number): () => void {
    this.loadBytes += bytes;
    return () => {
      this.loadBytes -= bytes;
    };
  }

  /**
   * Sends one request. Fails with the server's status as ssh2 gives it, or with LostConnection if the session ends first, which a request
   * that isn't answered in time causes.
   *
   * @param start sends the request; ssh2 calls `done` with the answer
   * @param limitMs how long the answer may take in milliseconds. Default: `requestTimeoutMs`
   */
  request<T>(start: (sftp: SFTPWrapper, done: Done<T>) => void, limitMs?: number): Promise<T> {
    if (this.dead !== undefined) return Promise.reject(this.dead);
    return new Promise<T>((resolve, reject) => {
      const pending = { sinceMs: Date.now(), limitMs: limitMs ?? this.options.requestTimeoutMs, reject };
      this.pending.add(pending);
      const fail = (error: Error): void => {
        if (statusOf(error) === undefined) {
          // Not an answer of the server: ssh2 lost the connection, or lost track of it.
          reject(new LostConnection(error.message, { cause: error }));
          this.kill(error.message);
        } else {
          this.answeredMs = Date.now();
          reject(error);
        }
      };
      const done: Done<T> = (error, value) => {
        if (!this.pending.delete(pending)) return;
        if (error) return fail(error);
        this.answeredMs = Date.now();
        this.fastestMs = Math.min(this.fastestMs, this.answeredMs - pending.sinceMs);
        resolve(value);
      };
      try {
        start(this.sftp, done);
      } catch (error) {
        if (this.pending.delete(pending)) fail(error as Error);
      }
    });
  }

  /** `request`, for an answer that is only a status. */
  send(start: (sftp: SFTPWrapper, done: (error?: Error | null) => void) => void, limitMs?: number): Promise<void> {
    return this.request<undefined>((sftp, done) => start(sftp, (error) => done(error, undefined)), limitMs);
  }

  /** Whether its server answers on it. Never fails. */
  async responds(): Promise<boolean> {
    try {
      await this.request<string>((sftp, done) => sftp.realpath('.', done));
      return true;
    } catch (error) {
      return !(error instanceof LostConnection);
    }
  }

  /** Ends it gracefully, in two seconds at most. Pending requests fail. Never fails itself. */
  async end(): Promise<void> {
    if (this.dead !== undefined) return;
    const closed = once(this.client, 'close').catch(() => undefined);
    this.client.end();
    this.die(new LostConnection('the store is closed'));
    await Promise.race([closed, sleep(2000, undefined, { ref: false })]);
    this.transport.destroy();
  }

  /** Ends it at once. */
  kill(reason: string): void {
    if (this.dead !== undefined) return;
    this.die(new LostConnection(`the connection to the store's server is lost: ${reason}`));
    this.transport.destroy();
  }

  private die(reason: LostConnection): void {
    this.dead = reason;
    clearInterval(this.watchdog);
    const pending = [...this.pending];
    this.pending.clear();
    for (const { reject } of pending) reject(reason);
    this.onDeath?.(reason.message);
  }

  private check(nowMs: number): void {
    const received = this.transport.receivedBytes();
    // If this process itself was suspended, the silence proves nothing.
    const wasSuspended = nowMs - this.checkedMs > this.silenceLimitMs / 2;
    this.checkedMs = nowMs;
    if (received !== this.receivedBytes || wasSuspended) {
      this.receivedBytes = received;
      this.receivedMs = nowMs;
    } else if (nowMs - this.receivedMs > this.silenceLimitMs) {
      this.kill(`nothing was received for ${nowMs - this.receivedMs} ms`);
      return;
    }
    // Only the oldest request can be late, and only while no answers arrive: it may be waiting behind a long transfer.
    const [oldest] = this.pending;
    if (oldest !== undefined && nowMs - Math.max(oldest.sinceMs, this.answeredMs) > oldest.limitMs) {
      this.kill(`a request was not answered for ${nowMs - oldest.sinceMs} ms`);
    }
  }
}
