import { createHash, createHmac } from 'node:crypto';
import type { EventName, WatchEvent } from '../core/event.js';
import type { WebhookConfig } from '../config/types.js';
import { request } from './http.js';
import { secretText } from './secret.js';
import type { Target } from './target.js';

/** Sends events as JSON with POST, signed with HMAC-SHA256 if there is a secret. */
export class Webhook implements Target {
  readonly channel = 'webhook';
  readonly timeoutMs = 10_000;
  readonly key: string;
  readonly title: string;
  private readonly url: URL;

  /** @param number of the webhooks with the same URL: 0 for the first one */
  constructor(
    private readonly config: WebhookConfig,
    number: number,
  ) {
    this.url = new URL(config.url);
    // The URL is often a secret itself.
    this.key = `webhook ${createHash('sha256').update(config.url).digest('hex').slice(0, 32)} ${number}`;
    this.title = `webhook ${this.url.host}`;
  }

  get events(): ReadonlySet<EventName> {
    return this.config.events;
  }

  async send(event: WatchEvent, signal: AbortSignal): Promise<string> {
    const body = JSON.stringify(event);
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'x-kloset-gateway-event': event.event,
      'x-kloset-gateway-delivery': event.id,
    };
    const { secret } = this.config;
    if (secret !== undefined) {
      const key = await secretText('the secret', secret);
      headers['x-kloset-gateway-signature'] = `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
    }
    return String(await request(this.url, { method: 'POST', headers, body }, signal));
  }
}
