import type { FileStat, FileSystem, ReadableFile } from './file-system.js';
import { TooManyOpen } from './too-many-open.js';

/** A file that is open, or being opened. */
interface Opening {
  readonly promise: Promise<Entry>;
  /** What came of it. */
  entry?: Entry;
}

interface Entry {
  readonly file: ReadableFile;
  users: number;
  /** When it was last known that the name is still this file's. */
  seenMs: number;
  /** Whether it is no longer kept, and closed with its last user. */
  dropped: boolean;
}

/** How long a name is believed to be still the file that it was, in milliseconds. */
const freshMs = 1000;

/**
 * Keeps files open that never change, so that a small read of one is a single read. Others may remove files behind our back, so
 * now and then it is looked whether they are still there: what they removed may be read for another second.
 */
export class OpenFiles {
  private readonly entries = new Map<string, Opening>();

  /** @param now a clock, in milliseconds */
  constructor(
    private readonly files: FileSystem,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * A file that is open already, and whose name is believed to be still its own; for use at once, since it may be closed when
   * others have their turn. Nobody closes it. Undefined where `open` has to be waited for.
   */
  atHand(path: string): ReadableFile | undefined {
    return this.freshEntry(path)?.file;
  }

  /** The same, for as long as it takes: whoever gets it closes it. */
  lendAtHand(path: string): ReadableFile | undefined {
    const entry = this.freshEntry(path);
    if (entry === undefined) return undefined;
    entry.users++;
    return new LentFile(entry);
  }

  private freshEntry(path: string): Entry | undefined {
    const entry = this.entries.get(path)?.entry;
    return entry !== undefined && this.now() - entry.seenMs < freshMs ? entry : undefined;
  }

  /** As the file system's own open, of a file that never changes; perhaps of one that is open already. */
  async open(path: string): Promise<ReadableFile> {
    const known = this.entries.get(path);
    if (known !== undefined) {
      const entry = await known.promise.catch(() => undefined);
      const isCurrent = entry !== undefined && (await this.isCurrent(path, entry));
      // It may have been dropped, and closed, while that was looked at.
      if (isCurrent && !entry.dropped) return this.lend(path, known, entry);
    }
    const again = this.entries.get(path);
    // Someone else may have found the same, and be opening it.
    const opening = again !== undefined && again !== known ? again : this.enter(path);
    return this.lend(path, opening, await opening.promise);
  }

  /** Forgets a name whose file may not be the same any more. */
  drop(path: string): void {
    const opening = this.entries.get(path);
    this.entries.delete(path);
    opening?.promise.then(release).catch(() => undefined);
  }

  /** Closes what nobody uses, and the rest with its last user. */
  clear(): void {
    for (const path of [...this.entries.keys()]) this.drop(path);
  }

  private enter(path: string): Opening {
    const promise = this.openFile(path).then((file) => ({ file, users: 0, seenMs: this.now(), dropped: false }));
    const entering: Opening = { promise };
    this.entries.set(path, entering);
    promise.then(
      (entry) => (entering.entry = entry),
      () => {
        if (this.entries.get(path) === entering) this.entries.delete(path);
      },
    );
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.files.openFiles) break;
      this.drop(oldest);
    }
    return entering;
  }

  private async openFile(path: string): Promise<ReadableFile> {
    try {
      return await this.files.open(path);
    } catch (error) {
      if (!(error instanceof TooManyOpen)) throw error;
      this.clear();
      return this.files.open(path);
    }
  }

  private async isCurrent(path: string, entry: Entry): Promise<boolean> {
    if (entry.dropped) return false;
    if (this.now() - entry.seenMs < freshMs) return true;
    // Before it is known: whoever comes meanwhile need not look, too.
    entry.seenMs = this.now();
    const found = await this.files.stat(path).catch(() => undefined);
    if (found !== undefined && isSame(entry.file, found)) return true;
    this.drop(path);
    return false;
  }

  private lend(path: string, opening: Opening, entry: Entry): ReadableFile {
    this.touch(path, opening);
    entry.users++;
    return new LentFile(entry);
  }

  /** The one that was used last is the last one to go, as far as is looked at: those at hand are all of the last second. */
  private touch(path: string, opening: Opening): void {
    if (this.entries.get(path) !== opening) return;
    this.entries.delete(path);
    this.entries.set(path, opening);
  }
}

/** A file that others may be reading, too. Whoever closes it has no read under way any more. */
class LentFile implements ReadableFile {
  private closed = false;

  constructor(private readonly entry: Entry) {}

  get size(): number {
    return this.entry.file.size;
  }

  get modifiedMs(): number {
    return this.entry.file.modifiedMs;
  }

  read(target: Uint8Array, offset: number, length: number): Promise<number> {
    return this.entry.file.read(target, offset, length);
  }

  sync(): Promise<void> {
    return this.entry.file.sync();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.entry.users--;
    if (this.entry.dropped && this.entry.users === 0) await this.entry.file.close();
  }
}

function release(entry: Entry): void {
  if (entry.dropped) return;
  entry.dropped = true;
  if (entry.users === 0) void entry.file.close();
}

function isSame({ size, modifiedMs }: ReadableFile, found: FileStat): boolean {
  return found.type === 'file' && found.size === size && found.modifiedMs === modifiedMs;
}
