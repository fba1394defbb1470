import { isLoopback } from '../lib/ip-address.js';
import type { Logger } from '../lib/logger.js';
import type { EventName, WatchEvent } from '../core/event.js';
import type { MailConfig } from '../config/types.js';
import { reasonOf } from './http.js';
import { secretText } from './secret.js';
import { DeliveryFailure, type Target } from './target.js';

/** The longest subject, in characters: mail programs show less. */
const maxSubject = 150;

/** The most that is repeated of a server's answer, in characters. */
const maxAnswer = 200;

/** Sends events as mails. */
export class Mail implements Target {
  readonly channel = 'mail';
  /** Some mail servers let unknown clients wait for a while. */
  readonly timeoutMs = 60_000;
  /** There is one mail server: what waits is sent by the next one if that is replaced. */
  readonly key = 'mail';
  readonly title: string;

  constructor(
    private readonly config: MailConfig,
    private readonly log: Pick<Logger, 'warn'>,
  ) {
    this.title = `mail ${config.host}`;
  }

  get events(): ReadonlySet<EventName> {
    return this.config.events;
  }

  async send(event: WatchEvent, signal: AbortSignal): Promise<string> {
    const { from, to } = this.config;
    const transport = await this.transport();
    try {
      const { response, rejected } = await transport.sendMail({ ...mailOf(event, from), from, to: [...to], signal });
      if (rejected.length > 0) {
        this.log.warn(
          { target: this.title, recipients: rejected },
          'the mail server refuses some recipients of notifications',
        );
      }
      const refused = rejected.length > 0 ? `, refused for ${rejected.join(', ')}` : '';
      return `${response.slice(0, 3)}${refused}`;
    } catch (error) {
      throw signal.aborted ? new DeliveryFailure(reasonOf(signal)) : failureOf(error);
    } finally {
      transport.close();
    }
  }

  private async transport() {
    const { host, port, tls, user, password } = this.config;
    const pass = password && (await secretText('the password', password));
    const hasLogin = user !== undefined && pass !== undefined;
    // A password isn't sent in the clear, except within this machine.
    const isSafe = tls !== 'offered' || (hasLogin && host !== 'localhost' && !isLoopback(host));
    // Loaded only where it is used.
    const { createTransport } = await import('nodemailer');
    return createTransport({
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: tls !== 'implicit' && isSafe,
      // With opportunistic TLS, an attacker who can present a wrong certificate can also strip the offer of TLS.
      tls: { rejectUnauthorized: isSafe },
      ...(hasLogin ? { auth: { user, pass } } : {}),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
}

function mailOf({ id, event, time, store, principal, text }: WatchEvent, from: string) {
  const [sentence = text] = text.split(/(?<=[.!?])\s/);
  const subject = `[kloset-gateway] ${sentence.replace(/\.$/, '')}`;
  const details = [
    ['Event', event],
    ['Time', time],
    ...(store === undefined ? [] : [['Store', store === '' ? '(default)' : store]]),
    ...(principal === undefined ? [] : [['Principal', principal]]),
  ];
  return {
    subject: subject.length > maxSubject ? `${subject.slice(0, maxSubject - 1)}…` : subject,
    text: `${text}\n\n${details.map(([name, value]) => `${name}: ${value}\n`).join('')}`,
    date: new Date(time),
    // The same if it is sent again, so that mail servers and programs can tell.
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    headers: { 'auto-submitted': 'auto-generated', 'x-kloset-gateway-event': event },
  };
}

function failureOf(error: unknown): DeliveryFailure {
  if (!(error instanceof Error)) return new DeliveryFailure('no connection');
  const { code, responseCode = 0 } = error as Error & { code?: string; responseCode?: number };
  // Servers may repeat what they were sent.
  if (code === 'EAUTH')
    return new DeliveryFailure(`it refuses the login${responseCode > 0 ? ` (${responseCode})` : ''}`);
  const message = error.message.replace(/\s+/g, ' ').slice(0, maxAnswer);
  return new DeliveryFailure(message, responseCode >= 500);
}
