import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../lib/logger.js';
import { replaceFile } from '../lib/replace-file.js';
import { eventNames } from '../core/event.js';
import type { Queued } from './delivery-queue.js';

const fileName = 'notifications.jsonl';

/** Only the gateway's user needs to read it. */
const mode = 0o600;

/** The interval of further attempts while writing fails, in milliseconds. */
const retryMs = 30_000;

/** A notification that waits, and the key of its target. */
export interface Kept extends Queued {
  readonly target: string;
}

const keptSchema = z.object({
  target: z.string(),
  sinceMs: z.number(),
  event: z.object({
    id: z.string(),
    event: z.enum(eventNames),
    time: z.iso.datetime(),
    store: z.string().exactOptional(),
    principal: z.string().exactOptional(),
    text: z.string(),
  }),
});

/**
 * The file of the notifications that wait, in the state folder: a JSON object a line. It is written as a whole at each change, since
 * hardly anything waits for long. If it can't be written, that is logged once, and tried again.
 */
export class QueueFile {
  private writing: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private isFailing = false;
  private retry: NodeJS.Timeout | undefined;

  private constructor(
    private readonly path: string,
    private readonly current: () => readonly Kept[],
    private readonly log: Logger,
  ) {}

  /**
   * Reads the file of a state folder, which is made if it isn't there. Fails with a message for the operator if the folder can't be used.
   * Lines that can't be read are left out, with a warning.
   *
   * @param current gives what waits at the moment
   */
  static async open(
    folder: string,
    current: () => readonly Kept[],
    log: Logger,
  ): Promise<{ readonly file: QueueFile; readonly kept: readonly Kept[] }> {
    const path = join(folder, fileName);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const lines = (await textOf(path)).split('\n').filter((line) => line !== '');
      const kept = lines.map(parse).filter((each) => each !== undefined);
      const damaged = lines.length - kept.length;
      if (damaged > 0) log.warn({ damaged }, `${damaged} lines of ${path} can't be read and are left out`);
      // Here, so that a folder that can't be written is noticed at the start.
      await replaceFile(path, linesOf(kept), mode);
      return { file: new QueueFile(path, current, log), kept };
    } catch (error) {
      throw new Error(`the state folder can't be used: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Writes what waits. Resolves when that is on the disk, or can't be written. Never rejects. */
  save(): Promise<void> {
    // What hasn't begun yet covers this change, too.
    if (this.next !== undefined) return this.next;
    this.next = this.writing.then(() => {
      this.next = undefined;
      return this.write();
    });
    return (this.writing = this.next);
  }

  /** Writes what waits for the last time. Never rejects. */
  async close(): Promise<void> {
    await this.save();
    clearTimeout(this.retry);
  }

  private async write(): Promise<void> {
    clearTimeout(this.retry);
    try {
      await replaceFile(this.path, linesOf(this.current()), mode);
      if (this.isFailing) this.log.info({}, 'notifications are kept in the state folder again');
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing) {
        const message = `notifications can't be kept in the state folder, and a stop would lose them: ${messageOf(error)}`;
        this.log.error({ err: error }, message);
      }
      this.isFailing = true;
      this.retry = setTimeout(() => void this.save(), retryMs).unref();
    }
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function parse(line: string): Kept | undefined {
  try {
    return keptSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function linesOf(kept: readonly Kept[]): string {
  return kept.map((each) => `${JSON.stringify(each)}\n`).join('');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
