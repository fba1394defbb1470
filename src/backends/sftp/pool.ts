import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../lib/logger.js';
import type { LinkOptions } from './options.js';
import type { Session } from './session.js';
import { ConnectFailure, fromSftp, LostConnection } from './status.js';

const firstBackoffMs = 100;
const maxBackoffMs = 5000;

/** From here on one more connection is worth its while: a channel takes 2 MiB for each round trip, and answers in order. */
const busyBytes = 512 * 1024;
const busyRequests = 16;

/** A number of connections to one server, made when they are needed, and made again when they are lost. */
export class Pool {
  private readonly sessions = new Set<Session>();
  private dialing: Promise<Session> | undefined;
  private readonly stopped = new AbortController();
  private failures = 0;
  private retryAtMs = 0;
  private adopted = 0;

  /** @param dial makes a connection, or fails with a ConnectFailure and leaves nothing open; aborted when the pool closes */
  constructor(
    private readonly dial: (stopped: AbortSignal) => Promise<Session>,
    private readonly options: LinkOptions,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    // Everyone who waits for a connection listens to it.
    setMaxListeners(0, this.stopped.signal);
  }

  /** The connections that are in use. */
  get alive(): Iterable<Session> {
    return this.sessions;
  }

  /** How many connections there were so far. */
  get connects(): number {
    return this.adopted;
  }

  private get isClosed(): boolean {
    return this.stopped.signal.aborted;
  }

  /**
   * Runs `attempt` on the connection with the least to do, and again on another one each time that one is lost, until the
   * time is up: then it fails with `unavailable`. All other errors are those of the attempt, as StoreErrors.
   *
   * @param attempt gets the connection, and whether an earlier attempt may have been carried out unbeknown to us
   * @param bytes how much data goes with it, in either direction: it decides which connection has the least to do
   */
  async run<T>(attempt: (session: Session, again: boolean) => Promise<T>, bytes = 0): Promise<T> {
    const untilMs = Date.now() + this.options.giveUpMs;
    for (let attempts = 0; ; attempts++) {
      try {
        const session = this.idlest() ?? (await this.reconnect(untilMs));
        const release = session.carry(bytes);
        try {
          return await attempt(session, attempts > 0);
        } finally {
          release();
        }
      } catch (error) {
        if (!(error instanceof LostConnection) || Date.now() >= untilMs || this.isClosed) throw fromSftp(error);
        // Should it be the request that ends connections, this is what keeps it from a busy loop.
        await this.pause(Math.min(1000, 20 * attempts ** 2));
      }
    }
  }

  /** Ends all connections. What is under way fails. */
  async close(): Promise<void> {
    this.stopped.abort();
    await this.dialing?.catch(() => undefined);
    await Promise.all([...this.sessions].map((session) => session.end()));
  }

  private idlest(): Session | undefined {
    let best: Session | undefined;
    for (const session of this.sessions) {
      if (best === undefined || compare(session, best) < 0) best = session;
    }
    if (best === undefined) return undefined;
    const { bytes, requests } = best.load;
    const busy = bytes >= busyBytes || requests >= busyRequests;
    if (busy && this.sessions.size < this.options.connections && Date.now() >= this.retryAtMs) {
      // Nobody waits for it, so its failure matters to nobody.
      this.connect().catch(() => undefined);
    }
    return best;
  }

  /** Waits for a connection, through failures that may pass. */
  private async reconnect(untilMs: number): Promise<Session> {
    for (;;) {
      const waitMs = this.retryAtMs - Date.now();
      if (this.isClosed) throw new LostConnection('the store is closed');
      try {
        if (waitMs > 0 && this.dialing === undefined) await this.pause(Math.min(waitMs, untilMs - Date.now()));
        for (const session of this.sessions) return session;
        return await this.connect();
      } catch (error) {
        const passes = !(error instanceof ConnectFailure) || error.kind === 'unreachable';
        if (!passes || Date.now() >= untilMs || this.isClosed) throw error;
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopped.signal }).catch(() => undefined);
  }

  /** Makes one more connection. One attempt at a time, whoever waits for it. Fails with a ConnectFailure. */
  connect(): Promise<Session> {
    this.dialing ??= this.connectOnce().finally(() => (this.dialing = undefined));
    return this.dialing;
  }

  private async connectOnce(): Promise<Session> {
    try {
      const session = await this.dial(this.stopped.signal);
      this.adopt(session);
      return session;
    } catch (error) {
      const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.failures++);
      this.retryAtMs = Date.now() + backoffMs;
      const reason = error instanceof Error ? error.message : String(error);
      this.log.warn({ reason, retryMs: backoffMs }, "no connection to the store's server");
      throw error;
    }
  }

  private adopt(session: Session): void {
    if (session.isDead) throw new LostConnection('the connection was lost at once');
    const recovered = this.failures > 0;
    this.failures = 0;
    this.retryAtMs = 0;
    this.sessions.add(session);
    this.adopted++;
    session.onDeath((reason) => {
      this.sessions.delete(session);
      if (!this.isClosed) this.log.warn({ reason }, "a connection to the store's server was lost");
    });
    if (recovered) this.log.info({}, "connected to the store's server again");
  }
}

function compare(a: Session, b: Session): number {
  const [left, right] = [a.load, b.load];
  return left.bytes - right.bytes || left.requests - right.requests;
}
