import type { Loaded } from '../config/load.js';
import type { Logger } from '../lib/logger.js';
import { SerialQueue } from '../lib/serial-queue.js';
import type { Gateway } from './gateway.js';
import { watchFiles, type Watch } from './watch-files.js';

export interface ReloaderOptions {
  /** Reads the configuration from its sources. */
  readonly load: () => Promise<Loaded | { readonly problems: readonly string[] }>;
  /** The files of the active configuration. */
  readonly configFiles: readonly string[];
  readonly gateway: Pick<Gateway, 'files' | 'reload' | 'countFailedReload'>;
  /** Called with each configuration that has become active. */
  readonly onReload: (loaded: Loaded) => void;
  readonly log: Logger;
  /** How often to check for changes of files, in milliseconds. Default: that of `watchFiles`. */
  readonly watchEveryMs?: number;
}

/**
 * Reloads a gateway's configuration on request, and when its file or a file that it names has changed. If that fails, the problems
 * are logged and the previous configuration stays active.
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
    const { load, gateway, onReload, log } = this.options;
    this.watch.close();
    // Before anything is read, so that no change is missed.
    this.watch = this.watchAll();
    try {
      const loaded = await load();
      if ('problems' in loaded) return this.report(loaded.problems);
      await gateway.reload(loaded.config);
      for (const warning of loaded.warnings) log.warn({}, warning);
      onReload(loaded);
      this.configFiles = loaded.configFiles;
      this.watch.close();
      this.watch = this.watchAll();
    } catch (error) {
      this.report([error instanceof Error ? error.message : String(error)]);
    }
  }

  private report(problems: readonly string[]): void {
    this.options.gateway.countFailedReload();
    for (const problem of problems) this.options.log.error({}, problem);
    this.options.log.error(
      { problems: problems.length },
      'the configuration was not reloaded: the previous one stays active',
    );
  }

  private watchAll(): Watch {
    const { gateway, watchEveryMs } = this.options;
    return watchFiles([...this.configFiles, ...gateway.files], () => void this.reload(), watchEveryMs);
  }
}
