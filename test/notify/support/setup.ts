import type { NotifyConfig, WebhookConfig } from '../../../src/config/types.js';
import { eventNames, type WatchEvent } from '../../../src/core/event.js';

/** An event whose id is its number. */
export function event(number: number, about: Partial<WatchEvent> = {}): WatchEvent {
  const text = 'web-1 has not backed up into teams/blue for 27 h. It is expected every 26 h.';
  const who = { store: 'teams/blue', principal: 'web-1' };
  return { id: String(number), event: 'overdue', time: '2026-11-23T15:14:06.000Z', ...who, text, ...about };
}

export const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

export const allEvents = new Set(eventNames);

export function webhook(url: string, settings: Partial<WebhookConfig> = {}): WebhookConfig {
  return { url, secret: undefined, events: allEvents, ...settings };
}

export function notifyOf(settings: Partial<NotifyConfig>): NotifyConfig {
  return { webhooks: [], mail: undefined, warnFreeBytes: 0, ...settings };
}

/** A log that keeps its lines. */
export class Lines {
  readonly all: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  readonly info = this.at('info');
  readonly warn = this.at('warn');
  readonly error = this.at('error');

  levels(): string[] {
    return this.all.map(({ level }) => level);
  }

  /** All of it as text. */
  text(): string {
    return JSON.stringify(this.all);
  }

  private at(level: string) {
    return (fields: object, message: string): void => void this.all.push({ level, message, fields });
  }
}
