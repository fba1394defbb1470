import { randomUUID } from 'node:crypto';
import { loadConfig, type SettingSources } from '../config/load.js';
import { DeliveryFailure, trySend } from '../notify/target.js';
import { targetsOf } from '../notify/targets.js';
import type { WatchEvent } from '../core/event.js';
import { refused, type Outcome } from './outcome.js';

/**
 * Sends a `test` event to every webhook and by mail, each once, and prints a line about each: whether it was taken. Pings are left out, since
 * each would count as a backup.
 */
export async function testNotifications(from: SettingSources): Promise<Outcome> {
  const loaded = await loadConfig(from);
  if ('problems' in loaded) return refused(loaded.problems);
  const warnings = loaded.warnings.map((warning) => `warning: ${warning}\n`);
  const targets = targetsOf(loaded.config.notify, { warn: () => undefined });
  if (targets.length === 0)
    return refused(['there is nowhere to send an event to: set notify in the configuration file']);
  const event: WatchEvent = {
    id: randomUUID(),
    event: 'test',
    time: new Date().toISOString(),
    text: 'This is a test of the notifications. Nothing has happened.',
  };
  const results = await Promise.all(targets.map((target) => trySend(target, event)));
  const lines = results.map((result, i) => {
    const what = result instanceof DeliveryFailure ? `not sent: ${result.message}` : `sent (${result})`;
    return `${targets[i]?.title}: ${what}\n`;
  });
  return {
    exitCode: results.some((result) => result instanceof DeliveryFailure) ? 1 : 0,
    stdout: lines.join(''),
    stderr: warnings.join(''),
  };
}
