import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '../../lib/logger.js';
import { replaceFile } from '../../lib/replace-file.js';
import { SerialQueue } from '../../lib/serial-queue.js';

export interface StateFileOptions<T> {
  /** Undefined: nothing is kept. */
  readonly stateDir: string | undefined;
  /** The folder in it of all files of this kind. */
  readonly folder: string;
  /** The store's name. */
  readonly name: string;
  readonly log: Pick<Logger, 'warn'>;
  /** Whether what a file has in it is a state, as far as anything relies on it. */
  readonly isState: (value: unknown) => value is T;
  /** What it means that there is no state, for the log: "the lag counts anew". */
  readonly loss: string;
}

/** Keeps something about a store in the state folder, as JSON, so that a restart goes on from there. */
export class StateFile<T> {
  private readonly queue = new SerialQueue();
  private readonly path: string | undefined;
  private hasWarned = false;

  constructor(private readonly options: StateFileOptions<T>) {
    const { stateDir, folder, name } = options;
    this.path = stateDir && join(stateDir, folder, `${encodeURIComponent(name) || '_'}.json`);
  }

  /** What was kept; undefined if there is nothing, or it can't be read. */
  async read(): Promise<T | undefined> {
    if (this.path === undefined) return undefined;
    const { isState, log, loss } = this.options;
    try {
      const state: unknown = JSON.parse(await readFile(this.path, 'utf8'));
      if (!isState(state)) throw new Error('it is not what a gateway has written');
      return state;
    } catch (error) {
      const isNew = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isNew) log.warn({ err: error }, `${this.path} can't be read: ${loss}`);
      return undefined;
    }
  }

  /** Keeps a state, which replaces the one before. Resolves when it is kept, or can't be. Never rejects. */
  async write(state: T): Promise<void> {
    const { path } = this;
    if (path === undefined) return;
    try {
      await this.queue.run(async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await replaceFile(path, JSON.stringify(state), 0o600);
      });
    } catch (error) {
      const { log, loss } = this.options;
      if (!this.hasWarned) log.warn({ err: error }, `${path} can't be written: after a restart, ${loss}`);
      this.hasWarned = true;
    }
  }
}
