interface Clearable {
  /** Forgets everything, and releases its memory. */
  clear(): void;
}

/** Two million objects. */
const defaultMaxBytes = 128 * 1024 * 1024;

/**
 * Limits the memory that the list indexes of all stores have together. When it is full, the indexes whose lists were asked for least
 * recently are cleared.
 */
export class ListMemory {
  /** Least recently used first. */
  private readonly indexes = new Set<Clearable>();
  private usedBytes = 0;

  constructor(private readonly maxBytes = defaultMaxBytes) {}

  /** Marks an index as the most recently used one. */
  touch(index: Clearable): void {
    this.indexes.delete(index);
    this.indexes.add(index);
  }

  /** Forgets an index, which has released what it had. */
  remove(index: Clearable): void {
    this.indexes.delete(index);
  }

  /** Reserves memory for `index`, and clears others where that is needed. Returns false if there is not enough even so. */
  reserve(index: Clearable, bytes: number): boolean {
    for (const other of [...this.indexes]) {
      if (this.usedBytes + bytes <= this.maxBytes) break;
      if (other !== index) other.clear();
    }
    if (this.usedBytes + bytes > this.maxBytes) return false;
    this.usedBytes += bytes;
    this.indexes.add(index);
    return true;
  }

  /** Returns reserved memory. */
  release(bytes: number): void {
    this.usedBytes -= bytes;
  }
}

/** The limit for this process. */
export const listMemory = new ListMemory();
