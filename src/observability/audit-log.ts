import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { auditLine } from './audit-line.js';
import type { AuditEntry, AuditTrail } from '../core/audit.js';
import type { Logger } from '../lib/logger.js';

/** New files can be read by the owner and the group, as logs usually can. */
const mode = 0o640;

/** What waits for a file that can't be written, in bytes; some 20,000 entries. What comes then is lost, and counted. */
const maxWaitingBytes = 8 * 1024 * 1024;

/** How often writing is tried again while it fails, in milliseconds. */
const defaultRetryMs = 1000;

const newline = 0x0a;

/**
 * The file that the audit trail goes to: one JSON object a line, appended. A line is written as soon as it is there: a crash of
 * the gateway loses at most what is being written at that moment; what the system has not put on the disk yet is lost in a power
 * cut.
 *
 * Where the file can't be written (a full disk, a folder that is gone), requests go on all the same, as backups that stop would be
 * the greater damage: the trouble is logged as an error, once, and entries wait in memory until there is a way again. When there
 * are too many, further ones are lost, and the log says how many.
 */
export class AuditLog implements AuditTrail {
  private waiting: string[] = [];
  private waitingBytes = 0;
  private lost = 0;
  /** What is being written, and how much of it is in the file already. */
  private current = Buffer.alloc(0);
  private written = 0;
  private working: Promise<void> | undefined;
  private inTrouble = false;
  private mustReopen = false;
  private closing: Promise<void> | undefined;
  private heir: AuditTrail | undefined;
  private retry: NodeJS.Timeout | undefined;

  private constructor(
    private readonly path: string,
    private file: FileHandle,
    private readonly log: Pick<Logger, 'error' | 'warn'>,
    private readonly retryMs: number,
  ) {}

  /**
   * Opens the file, and makes it where there is none. Fails with a message for the operator.
   *
   * @param path absolute
   */
  static async open(
    path: string,
    log: Pick<Logger, 'error' | 'warn'>,
    { retryMs = defaultRetryMs } = {},
  ): Promise<AuditLog> {
    try {
      return new AuditLog(path, await openFile(path), log, retryMs);
    } catch (error) {
      throw new Error(`the audit log can't be written: ${reason(error)}`, { cause: error });
    }
  }

  record(entry: AuditEntry): void {
    if (this.closing !== undefined) return this.heir?.record(entry);
    const line = auditLine(entry);
    if (this.waitingBytes + line.length > maxWaitingBytes) {
      this.lost++;
      return;
    }
    this.waiting.push(line);
    this.waitingBytes += line.length;
    if (!this.inTrouble) this.work();
  }

  /**
   * Goes on in a new file of this name, for when the old one was moved away; each entry is in one of both, as a whole. Resolves when
   * that is done, or can't be, which is logged as any trouble is.
   */
  async reopen(): Promise<void> {
    this.mustReopen = true;
    await this.flush();
    // That may have been a try which had begun before.
    if (this.mustReopen) await this.flush();
  }

  /** Resolves when all that was recorded is in the file, or can't be written now. Never fails. */
  async flush(): Promise<void> {
    clearTimeout(this.retry);
    this.work();
    while (this.working !== undefined) await this.working;
  }

  /**
   * Writes what waits, tries once more where there was trouble, and closes the file. Never fails.
   *
   * @param heir gets the entries that follow, of requests that began before; without one they are ignored
   */
  close(heir?: AuditTrail): Promise<void> {
    this.heir ??= heir;
    return (this.closing ??= this.finish());
  }

  private async finish(): Promise<void> {
    await this.flush();
    clearTimeout(this.retry);
    const left = this.waiting.length + this.lost + countLines(this.current.subarray(this.written));
    if (left > 0) this.log.error({ lost: left }, `the last ${left} entries are not in the audit log`);
    await this.file.close().catch(() => undefined);
  }

  private work(): void {
    this.working ??= this.writeAll().finally(() => {
      this.working = undefined;
      // What came at the last moment.
      if (!this.inTrouble && (this.waiting.length > 0 || this.mustReopen)) this.work();
    });
  }

  private async writeAll(): Promise<void> {
    try {
      if (this.mustReopen || this.inTrouble || (await this.isRemoved())) await this.openAgain();
      await this.writeWaiting();
      this.recovered();
    } catch (error) {
      this.failed(error);
    }
  }

  private async writeWaiting(): Promise<void> {
    while (this.written < this.current.length || this.waiting.length > 0) {
      if (this.written === this.current.length) {
        this.current = Buffer.from(this.waiting.join(''));
        this.written = 0;
        this.waiting = [];
        this.waitingBytes = 0;
      }
      const { bytesWritten } = await this.file.write(this.current, this.written);
      this.written += bytesWritten;
    }
  }

  /** Whether nobody can find any more what is written. */
  private async isRemoved(): Promise<boolean> {
    return (await this.file.stat()).nlink === 0;
  }

  private async openAgain(): Promise<void> {
    // Where it fails, there is trouble, and in trouble every try begins with this.
    this.mustReopen = false;
    const file = await openFile(this.path);
    const old = this.file;
    // A line that was cut off where it was is to be whole where it goes on.
    if (this.written > 0 && !(await isSame(old, file))) {
      this.written = this.current.lastIndexOf(newline, this.written - 1) + 1;
    }
    this.file = file;
    await old.close().catch(() => undefined);
  }

  private failed(error: unknown): void {
    if (!this.inTrouble) {
      this.log.error({ err: error }, `the audit log can't be written, and requests go on without: ${reason(error)}`);
    }
    this.inTrouble = true;
    this.retry = setTimeout(() => this.work(), this.retryMs).unref();
  }

  private recovered(): void {
    const { lost } = this;
    if (!this.inTrouble && lost === 0) return;
    this.inTrouble = false;
    this.lost = 0;
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
