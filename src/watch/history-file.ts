import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../lib/logger.js';
import { replaceFile } from '../lib/replace-file.js';
import { SerialQueue } from '../lib/serial-queue.js';
import { recordSchema, type History, type HistoryRecord } from './history.js';

const fileName = 'sessions.jsonl';

/** Only the gateway's user needs to read it. */
const mode = 0o600;

/** The file is written anew, with what is still remembered, when that many bytes were appended to it. */
const defaultMaxAppended = 4 * 1024 * 1024;

/**
 * The file of a history in the state folder: a JSON object a line, appended as it happens and synced. If it can't be written, an error is
 * logged once, and the next record that can be written comes with all that were missed.
 */
export class HistoryFile {
  private readonly queue = new SerialQueue();
  /** What is not in the file yet. */
  private pending: HistoryRecord[] = [];
  private file: FileHandle | undefined;
  private appended = 0;
  private isFailing = false;

  private constructor(
    private readonly path: string,
    private readonly history: History,
    private readonly log: Pick<Logger, 'error' | 'warn' | 'info'>,
    private readonly maxAppended: number,
  ) {}

  /**
   * Reads the history of a state folder, which is made if it isn't there. Fails with a message for the operator if the folder can't be
   * used. Lines that can't be read are left out, with a warning.
   */
  static async open(
    folder: string,
    history: History,
    log: Pick<Logger, 'error' | 'warn' | 'info'>,
    { maxAppended = defaultMaxAppended } = {},
  ): Promise<HistoryFile> {
    const path = join(folder, fileName);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
        throw error;
      });
      const lines = text.split('\n').filter((line) => line !== '');
      let damaged = 0;
      for (const line of lines) {
        const record = parse(line);
        if (record === undefined) damaged++;
        else history.add(record);
      }
      if (damaged > 0) log.warn({ damaged }, `${damaged} lines of ${path} can't be read and are left out`);
      const opened = new HistoryFile(path, history, log, maxAppended);
      await opened.rewrite();
      return opened;
    } catch (error) {
      throw new Error(`the state folder can't be used: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Appends a record that the history has already. Never fails and never waits. */
  append(record: HistoryRecord): void {
    this.pending.push(record);
    void this.queue.run(() => this.write());
  }

  /** Resolves when all records are written, or can't be. Never rejects. */
  async close(): Promise<void> {
    await this.queue.run(async () => {
      if (this.isFailing) await this.rewrite().catch(() => undefined);
      await this.file?.close().catch(() => undefined);
      this.file = undefined;
    });
  }

  private async write(): Promise<void> {
    if (this.pending.length === 0 && !this.isFailing) return;
    try {
      const { file } = this;
      const isRemoved = (await file?.stat())?.nlink === 0;
      if (file === undefined || isRemoved || this.isFailing || this.appended > this.maxAppended) await this.rewrite();
      else {
        const lines = toLines(this.pending.splice(0));
        this.appended += lines.length;
        await file.appendFile(lines);
        await file.datasync();
      }
      if (this.isFailing) this.log.info({}, 'sessions are kept in the state folder again');
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing)
        this.log.error({ err: error }, `sessions can't be kept in the state folder: ${messageOf(error)}`);
      this.isFailing = true;
    }
  }

  /** Replaces the file by one that has what is still remembered. */
  private async rewrite(): Promise<void> {
    // Both at the same moment, so that no record is written twice.
    const lines = toLines(this.history.records(Date.now()));
    this.pending = [];
    await replaceFile(this.path, lines, mode);
    await this.file?.close().catch(() => undefined);
    this.file = undefined;
    this.file = await open(this.path, 'a', mode);
    this.appended = 0;
  }
}

function toLines(records: readonly HistoryRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

function parse(line: string): HistoryRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
