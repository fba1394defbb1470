import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drive, type Job, type Outcome } from './driver.js';
import type { Options } from './options.js';
import { findPrograms, type Programs } from './programs.js';

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** What the cases of one run of the benchmark share. */
export class Bench {
  /** Those that run now. */
  readonly servers = new Set<{ stop(): Promise<void> }>();
  private folders = 0;

  private constructor(
    readonly options: Options,
    /** Holds everything that is made; removed at the end. */
    readonly folder: string,
    /** The same in memory, where the system has a place for that. */
    private readonly memoryFolder: string,
    readonly programs: Programs,
  ) {}

  static async open(options: Options): Promise<Bench> {
    const folder = await mkdtemp(join(options.dir, 'kloset-bench-'));
    const memoryFolder = await mkdtemp('/dev/shm/kloset-bench-').catch(() => folder);
    return new Bench(options, folder, memoryFolder, await findPrograms(options, folder));
  }

  /** The path of a new folder or file. */
  newPath(name: string): string {
    return join(this.folder, `${name}-${++this.folders}`);
  }

  /** The same for what no server has to do with, so that it shouldn't wait for a disk. */
  newPathInMemory(name: string): string {
    return join(this.memoryFolder, `${name}-${++this.folders}`);
  }

  drive(job: Job): Promise<Outcome> {
    return drive(this.programs.driver, job);
  }

  /** Stops what a case that failed has left running, and removes all files. */
  async close(): Promise<void> {
    for (const server of this.servers) await server.stop();
    this.removeFiles();
  }

  removeFiles(): void {
    for (const folder of [this.folder, this.memoryFolder]) rmSync(folder, { recursive: true, force: true });
  }
}
