import type { EventName, WatchEvent } from '../core/event.js';
import { limited } from './time-limit.js';

export type Channel = 'webhook' | 'mail' | 'ping';

/** Where events are sent. */
export interface Target {
  readonly channel: Channel;
  /** The same after a restart and after changes of its settings other than the address. Contains no secret. */
  readonly key: string;
  /** For people and logs, without secrets: `webhook alerts.example.org`. */
  readonly title: string;
  /** The events that it is for. */
  readonly events: ReadonlySet<EventName>;
  /** How long an attempt may take, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * Sends an event. Resolves to what was answered: `204`. Fails with a DeliveryFailure.
   *
   * @param signal gives up
   */
  send(event: WatchEvent, signal: AbortSignal): Promise<string>;
}

/** Why something couldn't be sent: a phrase for operators, without secrets and without URLs. */
export class DeliveryFailure extends Error {
  /** @param isAboutEvent whether it is this event that the receiver doesn't take, rather than any */
  constructor(
    message: string,
    readonly isAboutEvent = false,
  ) {
    super(message);
  }
}

/**
 * Tries once to send an event, within the target's time. Never rejects.
 *
 * @param controller gives up
 * @returns what was answered, or why it couldn't be sent
 */
export async function trySend(
  target: Target,
  event: WatchEvent,
  controller = new AbortController(),
): Promise<string | DeliveryFailure> {
  try {
    return await limited(target.timeoutMs, controller, (signal) => target.send(event, signal));
  } catch (error) {
    return error instanceof DeliveryFailure ? error : new DeliveryFailure('an unexpected error');
  }
}
