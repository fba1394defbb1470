import {
  newSegmentName,
  type Digest,
  type DigestRecorder,
  type DigestStorage,
  type Recording,
  type SegmentAppender,
} from '../core/digests.js';
import { StoreError } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { Logger } from '../lib/logger.js';
import {
  afterLine,
  chained,
  deletedLine,
  emptySegment,
  headerLine,
  putLine,
  restoredLine,
  seenLine,
  type SegmentState,
} from './digest-line.js';
import { headsOf } from './segment-heads.js';

export interface DigestWriterOptions {
  /** The gateway's name among its replicas. */
  readonly instance: string;
  /** The name of the host that it runs on. */
  readonly host: string;
  readonly log: Pick<Logger, 'warn'>;
  /** The clock, in milliseconds since 1970-01-01 UTC. Default: the system's. */
  readonly now?: (() => number) | undefined;
  /**
   * For how long no segment is begun after one that couldn't be created or written, in milliseconds, so that a full disk isn't strewn with empty
   * ones, and other segments aren't read for each object. Each further pause is twice as long, up to a minute. Default: 1 s.
   */
  readonly pauseMs?: number;
}

const defaultPauseMs = 1000;
const maxPauseMs = 60_000;

/** How many lines are written at once. */
const maxLines = 1000;

/** How many deletes that couldn't be recorded are remembered at most. */
const maxOwed = 100_000;

interface Waiting {
  readonly line: string;
  /** Whether it has to be recorded later if it can't be now, as what it tells of is done all the same. */
  readonly isDelete: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Records digests in a segment of its own, which it begins with the first one. Those that come during a write share the next one. */
export class DigestWriter implements DigestRecorder {
  private waiting: Waiting[] = [];
  /** Lines of deletes that couldn't be recorded. */
  private owed: string[] = [];
  private writing: Promise<void> | undefined;
  private segment: Segment | undefined;
  /** The last failure of a new segment. */
  private failure: { readonly error: unknown; readonly pauseMs: number; readonly untilMs: number } | undefined;

  constructor(
    private readonly storage: DigestStorage,
    private readonly options: DigestWriterOptions,
  ) {}

  record(ref: ObjectRef, digest: Digest, { seen }: Recording = { seen: false }): Promise<void> {
    return this.add((seen ? seenLine : putLine)(ref, digest, this.now()), false);
  }

  /** Records that an object has come back. @param deletedMs when it was deleted, as it was recorded */
  recordRestored(ref: ObjectRef, deletedMs: number): Promise<void> {
    return this.add(restoredLine(ref, deletedMs, this.now()), false);
  }

  /** What can't be recorded now is recorded with what comes next. */
  recordDelete(ref: ObjectRef): Promise<void> {
    return this.add(deletedLine(ref, this.now()), true);
  }

  async close(): Promise<void> {
    await this.writing;
    this.failure = undefined;
    if (this.owed.length > 0) await this.write(this.owed).catch(() => undefined);
    await this.endSegment();
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }

  private add(line: string, isDelete: boolean): Promise<void> {
    const added = new Promise<void>((resolve, reject) => this.waiting.push({ line, isDelete, resolve, reject }));
    this.writing ??= this.writeAll();
    return added;
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, maxLines);
      try {
        await this.write([...this.owed, ...batch.map(({ line }) => line)]);
        this.owed = [];
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const deletes = batch.filter(({ isDelete }) => isDelete).map(({ line }) => line);
        this.owed = [...this.owed, ...deletes].slice(-maxOwed);
        for (const { reject } of batch) reject(error);
      }
    }
    this.writing = undefined;
  }

  private async write(lines: readonly string[]): Promise<void> {
    const earlier = this.segment;
    try {
      await (earlier ?? (await this.beginSegment())).append(lines);
      this.failure = undefined;
    } catch (error) {
      if (earlier === undefined && error !== this.failure?.error) this.pause(error);
      // A part of a line may be there, which has to be the last one.
      await this.endSegment();
      if (earlier === undefined) throw error;
      // What failed may have been that file alone, as with a server that was restarted.
      await this.write(lines);
    }
    if ((this.segment?.bytes ?? 0) >= this.storage.maxSegmentBytes) await this.endSegment();
  }

  private pause(error: unknown): void {
    const { pauseMs: firstMs = defaultPauseMs } = this.options;
    const pauseMs = this.failure === undefined ? firstMs : Math.min(this.failure.pauseMs * 2, maxPauseMs);
    this.failure = { error, pauseMs, untilMs: performance.now() + pauseMs };
  }

  private async beginSegment(): Promise<Segment> {
    if (this.failure !== undefined && performance.now() < this.failure.untilMs) throw this.failure.error;
    const { storage } = this;
    const { instance, host, log } = this.options;
    const nowMs = this.now();
    const failed = (segment: string, error: unknown): void => {
      const { code, message } = StoreError.from(error);
      log.warn({ segment, code }, `a segment of digests can't be read: ${message}`);
    };
    const ctx = { signal: new AbortController().signal };
    // Elsewhere a power cut may take away what was named, which would look like a change.
    const heads = storage.isDurable ? await headsOf(storage, ctx, failed) : [];
    const start = [headerLine(instance, nowMs), ...heads.map((head) => afterLine(head.segment, head))];
    const name = newSegmentName(host, nowMs);
    return (this.segment = new Segment(name, await storage.create(name), start));
  }

  private async endSegment(): Promise<void> {
    const { segment } = this;
    this.segment = undefined;
    // Everything that was acknowledged is there all the same.
    await segment?.close().catch(() => undefined);
  }
}

/** The segment that is being written. */
class Segment {
  private state: SegmentState;

  /** @param start its first lines, which are written with those after them */
  constructor(
    name: string,
    private readonly file: SegmentAppender,
    private start: readonly string[],
  ) {
    this.state = emptySegment(name);
  }

  get bytes(): number {
    return this.state.length;
  }

  /** After a failure nothing may follow. */
  async append(lines: readonly string[]): Promise<void> {
    const { text, after } = chained([...this.start, ...lines], this.state);
    await this.file.append(Buffer.from(text, 'latin1'));
    this.start = [];
    this.state = after;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
