import type { Registry } from 'prom-client';
import type { Config } from '../config/types.js';
import type { Logger } from '../lib/logger.js';
import { Notifier } from '../notify/notifier.js';
import type { SessionTimes } from '../watch/session-tracker.js';
import { Watch } from '../watch/watch.js';
import type { Observation } from '../watch/observation.js';
import type { Status } from '../watch/status.js';

export interface WatchingOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Where the watch's metrics are added. */
  readonly registry: Registry;
  /** How long operations of several processes are held back to bring them into order, in milliseconds. Default: not at all. */
  readonly holdBackMs?: number | undefined;
  /** When callers count as gone. Default: as plakar does. */
  readonly sessionTimes?: SessionTimes | undefined;
}

/** Whether a configuration has anyone who wants to know how the stores are: one process then looks at them from time to time. */
export function isWatched({ listeners, notify, principals }: Config): boolean {
  return (
    listeners.some(({ protocol }) => protocol === 'admin') ||
    notify.webhooks.length > 0 ||
    notify.mail !== undefined ||
    principals.some(({ expectBackupMs }) => expectBackupMs.size > 0)
  );
}

/** The watch of a gateway, and the notifier that it tells people by. */
export class Watching {
  private constructor(
    private readonly watch: Watch,
    private readonly notifier: Notifier,
    private readonly stateDir: string | undefined,
  ) {}

  /** Reads what the state folder has. Fails with a message for the operator, and leaves nothing open. */
  static async open({ config, log, registry, holdBackMs, sessionTimes }: WatchingOptions): Promise<Watching> {
    const { stateDir } = config;
    let watch: Watch | undefined;
    const onDelivered = (channel: string, outcome: string): void => watch?.notified(channel, outcome);
    const notifier = await Notifier.open({ stateDir, log, onDelivered });
    notifier.configure(config);
    try {
      watch = await Watch.open({ config, log, registry, notifications: notifier, holdBackMs, times: sessionTimes });
      return new Watching(watch, notifier, stateDir);
    } catch (error) {
      await notifier.close();
      throw error;
    }
  }

  /** Throws, with a message for the operator, if a configuration needs another watch. */
  check({ stateDir }: Config): void {
    if (stateDir !== this.stateDir) throw new Error('restart the gateway to change state-dir');
  }

  configure(config: Config): void {
    this.notifier.configure(config);
    this.watch.configure(config);
  }

  observe(observation: Observation): void {
    this.watch.observe(observation);
  }

  status(): Status {
    return this.watch.status();
  }

  /** Writes what is left to the state folder. Never rejects. */
  async close(): Promise<void> {
    await this.watch.close();
    await this.notifier.close();
  }
}
