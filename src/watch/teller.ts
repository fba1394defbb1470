import { randomUUID } from 'node:crypto';
import type { Logger } from '../lib/logger.js';
import type { EventName, Ping, WatchEvent } from '../core/event.js';

/** Who tells people and other services. */
export interface Notifications {
  /** Never fails and never waits. */
  notify(event: WatchEvent): void;
  ping(ping: Ping): void;
  /** How many have not been delivered. */
  readonly pending: number;
}

/** What an event is about. */
export interface About {
  readonly store?: string;
  readonly principal?: string;
}

const goodNews: ReadonlySet<EventName> = new Set(['back-on-time', 'store-reachable', 'mirror-caught-up']);

/** A sentence's beginning, unless that is a name. */
function capitalized(text: string, name: string | undefined): string {
  return name !== undefined && text.startsWith(name) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** Tells people of events, and the log. */
export class Teller {
  /** When people were last told, by the event and what it is about. */
  private readonly toldMs = new Map<string, number>();

  constructor(
    private readonly notifications: Notifications,
    private readonly log: Pick<Logger, 'warn' | 'info'>,
  ) {}

  /**
   * @param text a sentence without its end, which starts in lower case where that is possible
   * @param pauseMs the least time between two of the same event about the same store and principal, in milliseconds: for those that callers
   *   can cause at will
   */
  tell(event: EventName, { store, principal }: About, text: string, pauseMs = 0): void {
    const nowMs = Date.now();
    const key = `${event} ${principal ?? ''} ${store ?? ''}`;
    if (nowMs - (this.toldMs.get(key) ?? -Infinity) < pauseMs) return;
    this.toldMs.set(key, nowMs);
    this.log[goodNews.has(event) ? 'info' : 'warn']({ event, store, principal }, text);
    this.notifications.notify({
      id: randomUUID(),
      event,
      time: new Date(nowMs).toISOString(),
      ...(store !== undefined && { store }),
      ...(principal !== undefined && { principal }),
      text: `${capitalized(text, principal)}.`,
    });
  }

  /** Lets the next event be told whatever the pause. */
  forget(event: EventName, { store, principal }: About): void {
    this.toldMs.delete(`${event} ${principal ?? ''} ${store ?? ''}`);
  }
}
