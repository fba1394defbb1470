import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate, type Certificate } from './certificate.js';
import { drive, type Job, type Outcome } from './driver.js';
import type { Options } from './options.js';
import { findPrograms, type Programs } from './programs.js';

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** What all cases of a run share. */
export class Bench {
  /** Servers that are running. */
  readonly servers = new Set<{ stop(): Promise<void> }>();
  /** For all servers that use TLS. */
  readonly certificate: Certificate;
  private paths = 0;

  private constructor(
    readonly options: Options,
    /** Contains every file of the run; removed at the end. */
    readonly folder: string,
    /** The same in memory, where the system has /dev/shm. */
    private readonly memoryFolder: string,
    readonly programs: Programs,
  ) {
    this.certificate = makeCertificate(folder);
  }

  static async open(options: Options): Promise<Bench> {
    const folder = await mkdtemp(join(options.dir, 'kloset-bench-'));
    const memoryFolder = await mkdtemp('/dev/shm/kloset-bench-').catch(() => folder);
    return new Bench(options, folder, memoryFolder, await findPrograms(options, folder));
  }

  /** Whether restic's rest-server and nginx take part: they are in no goal. */
  get hasAllOpponents(): boolean {
    return !this.options.short && !this.options.goals;
  }

  /** Returns an unused path on the disk. */
  newPath(name: string): string {
    return join(this.folder, `${name}-${++this.paths}`);
  }

  /** Returns an unused path in memory, for files that clients write and no server reads. */
  newPathInMemory(name: string): string {
    return join(this.memoryFolder, `${name}-${++this.paths}`);
  }

  drive(job: Job): Promise<Outcome> {
    return drive(this.programs.driver, job);
  }

  /** Stops the servers that a failed case has left running. */
  async stopServers(): Promise<void> {
    for (const server of this.servers) await server.stop();
  }

  async close(): Promise<void> {
    await this.stopServers();
    this.removeFiles();
  }

  removeFiles(): void {
    for (const folder of [this.folder, this.memoryFolder]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Caches what `make` makes: once a run, when it is first needed. */
export function oncePerBench<T>(make: (bench: Bench) => Promise<T>): (bench: Bench) => Promise<T> {
  const made = new WeakMap<Bench, Promise<T>>();
  return (bench) => {
    const promise = made.get(bench) ?? make(bench);
    made.set(bench, promise);
    return promise;
  };
}
