import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { auditLine } from './audit-line.js';
import type { AuditEntry, AuditSink } from '../core/audit.js';
import type { Logger } from '../lib/logger.js';

/** The permissions of new files: owner and group may read, as is usual for logs. */
const mode = 0o640;

/** How much is buffered while the file can't be written, in bytes: about 20,000 entries. Further ones are dropped and counted. */
const maxBufferedBytes = 8 * 1024 * 1024;

/** The interval of further attempts while writing fails, in milliseconds. */
const defaultRetryMs = 1000;

const newline = 0x0a;

/**
 * The audit log's file: one JSON object a line, appended. Entries are written immediately, but not synced: a crash of the gateway loses at
 * most the entries that are being written, a power cut also those that are not on the disk yet.
 *
 * If the file can't be written (a full disk, a missing folder), requests go on, because failing backups would be worse. An error is logged
 * once, and entries are buffered until writing works again. When the buffer is full, entries are dropped, and the log says how many.
 */
export class AuditLog implements AuditSink {
  private buffered: string[] = [];
  private bufferedBytes = 0;
  private dropped = 0;
  private lostBefore = 0;
  /** The lines that are being written, and how many of their bytes are in the file already. */
  private current = Buffer.alloc(0);
  private written = 0;
  /** Resolves when the current attempt to write everything has ended. */
  private writing: Promise<void> | undefined;
  private isFailing = false;
  private mustReopen = false;
  private closing: Promise<void> | undefined;
  private successor: AuditSink | undefined;
  private retry: NodeJS.Timeout | undefined;

  private constructor(
    private readonly path: string,
    private file: FileHandle,
    private readonly log: Pick<Logger, 'error' | 'warn'>,
    private readonly instance: string | undefined,
    private readonly retryMs: number,
  ) {}

  /**
   * Opens the file, or creates it. Fails with a message for the operator.
   *
   * @param path absolute
   * @param options.instance the gateway's name among its replicas, which each line has
   */
  static async open(
    path: string,
    log: Pick<Logger, 'error' | 'warn'>,
    { instance, retryMs = defaultRetryMs }: { readonly instance?: string; readonly retryMs?: number } = {},
  ): Promise<AuditLog> {
    try {
      return new AuditLog(path, await openFile(path), log, instance, retryMs);
    } catch (error) {
      throw new Error(`the audit log can't be written: ${reason(error)}`, { cause: error });
    }
  }

  /** How many entries were lost since it was opened. */
  get lost(): number {
    return this.lostBefore + this.dropped;
  }

  record(entry: AuditEntry): void {
    if (this.closing !== undefined) return this.successor?.record(entry);
    const line = auditLine(entry, this.instance);
    if (this.bufferedBytes + line.length > maxBufferedBytes) {
      this.dropped++;
      return;
    }
    this.buffered.push(line);
    this.bufferedBytes += line.length;
    if (!this.isFailing) this.startWriting();
  }

  /**
   * Continues in a new file of the same name, after the old one was renamed. Each entry is in one of the two files as a whole. Never
   * rejects: a failure is logged like any other one.
   */
  async reopen(): Promise<void> {
    this.mustReopen = true;
    await this.flush();
    // The first flush may have waited for an attempt that had started before.
    if (this.mustReopen) await this.flush();
  }

  /** Resolves when all entries are in the file, or can't be written at the moment. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.retry);
    this.startWriting();
    while (this.writing !== undefined) await this.writing;
  }

  /**
   * Writes what is buffered, with one more attempt if writing has failed, and closes the file. Never rejects.
   *
   * @param successor gets later entries, of requests that are still running; by default these are dropped
   */
  close(successor?: AuditSink): Promise<void> {
    this.successor ??= successor;
    return (this.closing ??= this.finish());
  }

  private async finish(): Promise<void> {
    await this.flush();
    clearTimeout(this.retry);
    const left = this.buffered.length + this.dropped + countLines(this.current.subarray(this.written));
    if (left > 0) this.log.error({ lost: left }, `the last ${left} entries are not in the audit log`);
    await this.file.close().catch(() => undefined);
  }

  private startWriting(): void {
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined;
      // Entries may have been recorded since the attempt ended.
      if (!this.isFailing && (this.buffered.length > 0 || this.mustReopen)) this.startWriting();
    });
  }

  private async writeAll(): Promise<void> {
    try {
      if (this.mustReopen || this.isFailing || (await this.isRemoved())) await this.openAgain();
      await this.writeBuffered();
      this.recovered();
    } catch (error) {
      this.failed(error);
    }
  }

  private async writeBuffered(): Promise<void> {
    while (this.written < this.current.length || this.buffered.length > 0) {
      if (this.written === this.current.length) {
        this.current = Buffer.from(this.buffered.join(''));
        this.written = 0;
        this.buffered = [];
        this.bufferedBytes = 0;
      }
      const { bytesWritten } = await this.file.write(this.current, this.written);
      this.written += bytesWritten;
    }
  }

  /** Whether the file was deleted while it is open. */
  private async isRemoved(): Promise<boolean> {
    return (await this.file.stat()).nlink === 0;
  }

  private async openAgain(): Promise<void> {
    // If this fails, isFailing is set, and the next attempt reopens the file for that reason.
    this.mustReopen = false;
    const file = await openFile(this.path);
    const old = this.file;
    // A line that was partly written to the old file is written to the new one as a whole.
    if (this.written > 0 && !(await isSame(old, file))) {
      this.written = this.current.lastIndexOf(newline, this.written - 1) + 1;
    }
    this.file = file;
    await old.close().catch(() => undefined);
  }

  private failed(error: unknown): void {
    if (!this.isFailing) {
      this.log.error({ err: error }, `the audit log can't be written, and requests go on without it: ${reason(error)}`);
    }
    this.isFailing = true;
    this.retry = setTimeout(() => this.startWriting(), this.retryMs).unref();
  }

  private recovered(): void {
    const { dropped: lost } = this;
    if (!this.isFailing && lost === 0) return;
    this.isFailing = false;
    this.lostBefore += lost;
    this.dropped = 0;
    this.log.warn({ lost }, `the audit log can be written again; ${lost} entries are lost`);
  }
}

function openFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, mode);
}

async function isSame(one: FileHandle, other: FileHandle): Promise<boolean> {
  const [a, b] = await Promise.all([one.stat(), other.stat()]);
  return a.dev === b.dev && a.ino === b.ino;
}

function countLines(bytes: Uint8Array): number {
  return bytes.filter((byte) => byte === newline).length;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
