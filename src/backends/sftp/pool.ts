import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../lib/logger.js';
import type { LinkOptions } from './options.js';
import type { Session } from './session.js';
import { ConnectFailure, fromSftp, LostConnection } from './status.js';

const firstBackoffMs = 100;
const maxBackoffMs = 5000;

/** A session with this load justifies another connection: a channel transfers 2 MiB per round trip, and answers in order. */
const busyBytes = 512 * 1024;
const busyRequests = 16;

/** Connections to one server, made when they are needed, and again when they are lost. */
export class Pool {
  /** The sessions that are alive. */
  readonly sessions = new Set<Session>();
  /** How often the server was connected to anew, with no earlier connection that it still answered on. */
  connectionCount = 0;
  private connecting: Promise<Session> | undefined;
  private readonly closed = new AbortController();
  private failures = 0;
  private retryAtMs = 0;

  /** @param dial makes a connection, or fails with a ConnectFailure and leaves nothing open; the signal aborts when the pool closes */
  constructor(
    private readonly dial: (closed: AbortSignal) => Promise<Session>,
    private readonly options: LinkOptions,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    // Every operation that waits for a connection listens to it.
    setMaxListeners(0, this.closed.signal);
  }

  private get isClosed(): boolean {
    return this.closed.signal.aborted;
  }

  /**
   * Runs `attempt` with the least loaded session, and again with another one each time that its session is lost, for `giveUpMs`: then it
   * fails with `unavailable`. Other errors are those of the attempt, as StoreErrors.
   *
   * @param attempt gets the session, and whether an earlier attempt may have been carried out without its answer arriving
   * @param bytes how much data it transfers, in either direction, for balancing the load
   */
  async run<T>(attempt: (session: Session, again: boolean) => Promise<T>, bytes = 0): Promise<T> {
    const untilMs = Date.now() + this.options.giveUpMs;
    for (let attempts = 0; ; attempts++) {
      try {
        const session = this.leastLoaded() ?? (await this.reconnect(untilMs));
        const removeLoad = session.addLoad(bytes);
        try {
          return await attempt(session, attempts > 0);
        } finally {
          removeLoad();
        }
      } catch (error) {
        if (!(error instanceof LostConnection) || Date.now() >= untilMs || this.isClosed) throw fromSftp(error);
        // In case the request itself makes the server drop connections.
        await this.pause(Math.min(1000, 20 * attempts ** 2));
      }
    }
  }

  /** Makes one more connection; concurrent calls share it. Fails with a ConnectFailure. */
  connect(): Promise<Session> {
    this.connecting ??= this.connectOnce().finally(() => (this.connecting = undefined));
    return this.connecting;
  }

  /** Ends all connections. Operations in progress fail. */
  async close(): Promise<void> {
    this.closed.abort();
    await this.connecting?.catch(() => undefined);
    await Promise.all([...this.sessions].map((session) => session.end()));
  }

  private leastLoaded(): Session | undefined {
    const [best] = [...this.sessions].sort(({ load: a }, { load: b }) => a.bytes - b.bytes || a.requests - b.requests);
    if (best === undefined) return undefined;
    const { bytes, requests } = best.load;
    const isBusy = bytes >= busyBytes || requests >= busyRequests;
    if (isBusy && this.sessions.size < this.options.connections && Date.now() >= this.retryAtMs) {
      // In the background; `connectOnce` logs a failure.
      this.connect().catch(() => undefined);
    }
    return best;
  }

  /** Waits for a connection, through temporary failures. */
  private async reconnect(untilMs: number): Promise<Session> {
    for (;;) {
      const waitMs = this.retryAtMs - Date.now();
      if (this.isClosed) throw new LostConnection('the store is closed');
      try {
        if (waitMs > 0 && this.connecting === undefined) await this.pause(Math.min(waitMs, untilMs - Date.now()));
        for (const session of this.sessions) return session;
        return await this.connect();
      } catch (error) {
        const isTemporary = !(error instanceof ConnectFailure) || error.code === 'unavailable';
        if (!isTemporary || Date.now() >= untilMs || this.isClosed) throw error;
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.closed.signal }).catch(() => undefined);
  }

  private async connectOnce(): Promise<Session> {
    try {
      const [earlier] = this.sessions;
      const session = await this.dial(this.closed.signal);
      const isFurther = (await earlier?.responds()) === true;
      this.add(session);
      if (!isFurther && ++this.connectionCount > 1) this.options.onReconnect();
      return session;
    } catch (error) {
      const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.failures++);
      this.retryAtMs = Date.now() + backoffMs;
      const reason = error instanceof Error ? error.message : String(error);
      this.log.warn({ reason, retryMs: backoffMs }, "no connection to the store's server");
      throw error;
    }
  }

  private add(session: Session): void {
    if (session.isDead) throw new LostConnection('the connection was lost at once');
    const recovered = this.failures > 0;
    this.failures = 0;
    this.retryAtMs = 0;
    this.sessions.add(session);
    session.onDeath = (reason) => {
      this.sessions.delete(session);
      if (!this.isClosed) this.log.warn({ reason }, "a connection to the store's server was lost");
    };
    if (recovered) this.log.info({}, "connected to the store's server again");
  }
}
