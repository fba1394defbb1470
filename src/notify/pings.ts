import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.js';
import { RateLimitedLog } from '../lib/rate-limited-log.js';
import { SerialQueue } from '../lib/serial-queue.js';
import type { Ping } from '../core/event.js';
import type { PrincipalConfig } from '../config/types.js';
import type { Outcome, DeliveryLimits } from './delivery-queue.js';
import { request } from './http.js';
import { limited } from './time-limit.js';

const timeoutMs = 10_000;
const attempts = 4;

/** How many pings of one URL may wait for earlier ones. */
const maxWaiting = 10;

/** The end of the path, by what is told: as healthchecks.io has it. */
const suffixes = { start: '/start', success: '', fail: '/fail' } as const;

export interface PingOptions {
  readonly log: Logger;
  readonly limits: DeliveryLimits;
  readonly onOutcome: (outcome: Outcome) => void;
}

/** Pings services that wait for backups. Pings of one URL are sent in their order; a few attempts are made, until there is a newer one. */
export class Pings {
  private urls: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map();
  private readonly queue = new SerialQueue();
  private readonly limitedLog: RateLimitedLog;
  private readonly running = new Set<Promise<void>>();
  private readonly underWay = new Set<AbortController>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: PingOptions) {
    this.limitedLog = new RateLimitedLog(options.log);
  }

  configure(principals: readonly Pick<PrincipalConfig, 'name' | 'pings'>[]): void {
    this.urls = new Map(principals.map(({ name, pings }) => [name, pings]));
  }

  /** Never fails and never waits. */
  send(ping: Ping): void {
    const url = this.urls.get(ping.principal)?.get(ping.store);
    if (url === undefined || this.stopping.signal.aborted) return;
    if (this.queue.length(url) >= maxWaiting) return this.options.onOutcome('dropped');
    const sending = this.queue.run(() => this.deliver(url, ping), url).finally(() => this.running.delete(sending));
    this.running.add(sending);
  }

  /** Sends no more; what is under way has a moment to end. Never rejects. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const timer = setTimeout(() => this.underWay.forEach((each) => each.abort()), this.options.limits.graceMs);
    await Promise.all(this.running);
    clearTimeout(timer);
  }

  private async deliver(url: string, ping: Ping): Promise<void> {
    let problem = 'the gateway stops';
    for (let failed = 0; failed < attempts && !this.stopping.signal.aborted; failed++) {
      if (failed > 0) await this.pause(failed);
      // Not the first time, so that each is told if the service can be reached.
      if (failed > 0 && (this.stopping.signal.aborted || this.queue.length(url) > 1)) break;
      try {
        await this.attempt(addressOf(url, ping));
        return this.options.onOutcome('sent');
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        this.options.onOutcome('failed');
      }
    }
    this.options.onOutcome('dropped');
    const { store, principal, signal } = ping;
    const fields = { target: `ping ${new URL(url).host}`, store, principal, signal, reason: problem };
    this.limitedLog.warn('ping', fields, "a ping can't be sent");
  }

  private async pause(failed: number): Promise<void> {
    const pauseMs = this.options.limits.firstPauseMs * 4 ** (failed - 1) * (0.5 + Math.random() / 2);
    await sleep(pauseMs, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }

  private async attempt(url: URL): Promise<void> {
    const controller = new AbortController();
    this.underWay.add(controller);
    try {
      await limited(timeoutMs, controller, (signal) => request(url, { method: 'GET' }, signal));
    } finally {
      this.underWay.delete(controller);
    }
  }
}

function addressOf(written: string, { signal }: Ping): URL {
  const url = new URL(written);
  url.pathname = url.pathname.replace(/\/+$/, '') + suffixes[signal];
  return url;
}
