import type { Loaded } from '../config/load.js';
import type { Logger } from '../lib/logger.js';
import { SerialQueue } from '../lib/serial-queue.js';
import type { Gateway } from './gateway.js';
import { watchFiles, type Watch } from './watch-files.js';

export interface ReloaderOptions {
  /** Reads the configuration from where it came from. */
  readonly load: () => Promise<Loaded | { readonly problems: readonly string[] }>;
  /** The files that the configuration in force was read from. */
  readonly configFiles: readonly string[];
  readonly gateway: Pick<Gateway, 'files' | 'reload'>;
  /** Is told of a configuration that has come into force. */
  readonly inForce: (loaded: Loaded) => void;
  readonly log: Logger;
  /** How often to look whether a file has changed, in milliseconds. By default as watchFiles does. */
  readonly watchEveryMs?: number;
}

/**
 * Has a gateway take on its configuration anew when that is asked for, or when one of the files changed: its own, and those that it
 * names. What can't be taken on is reported, and what was in force stays so.
 */
export class Reloader {
  private watch: Watch;
  private readonly reloads = new SerialQueue();
  private configFiles: readonly string[];
  private closed = false;

  constructor(private readonly options: ReloaderOptions) {
    this.configFiles = options.configFiles;
    this.watch = this.watchAll();
  }

  /** Reads and applies the configuration again, after running reloads. Never fails. */
  async reload(): Promise<void> {
    if (!this.closed) await this.reloads.run(() => this.reloadNow());
  }

  /** Stops watching, and waits for running reloads. */
  async close(): Promise<void> {
    this.closed = true;
    await this.reloads.run(() => Promise.resolve());
    this.watch.close();
  }

  private async reloadNow(): Promise<void> {
    const { load, gateway, inForce, log } = this.options;
    this.watch.close();
    // From before anything is read: what changes meanwhile is noticed.
    this.watch = this.watchAll();
    try {
      const loaded = await load();
      if ('problems' in loaded) return this.refuse(loaded.problems);
      await gateway.reload(loaded.config);
      for (const warning of loaded.warnings) log.warn({}, warning);
      inForce(loaded);
      this.configFiles = loaded.configFiles;
      this.watch.close();
      this.watch = this.watchAll();
    } catch (error) {
      this.refuse([error instanceof Error ? error.message : String(error)]);
    }
  }

  private refuse(problems: readonly string[]): void {
    for (const problem of problems) this.options.log.error({}, problem);
    this.options.log.error(
      { problems: problems.length },
      'the new configuration is not taken on: the old one stays in force',
    );
  }

  private watchAll(): Watch {
    const { gateway, watchEveryMs } = this.options;
    return watchFiles([...this.configFiles, ...gateway.files], () => void this.reload(), watchEveryMs);
  }
}
