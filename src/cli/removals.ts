import type { Arrived } from './contents.js';

/**
 * The largest state that can't be a backup's, in bytes. Measured with plakar 1.0 and 1.1: a removal has 148 bytes, or 216 with a passphrase;
 * a mark of maintenance 173; the smallest backup, of nothing new, 375.
 */
const tinyBytes = 256;

/** The largest that is taken for a removal if no packfile came before it. */
const smallBytes = 4096;

/** How long before its state the last packfile of a backup arrives at most, in milliseconds. */
const backupMs = 60_000;

/** Whether a state is smaller than that of any backup. */
export function isTiny({ ref, size }: Arrived): boolean {
  return ref.kind === 'state' && size <= tinyBytes;
}

/** Tells states that look like removals of snapshots, by sizes and times alone: what is in them is encrypted. */
export class Removals {
  private readonly packfiles: number[] = [];
  private isSorted = true;

  /** Takes the time when a packfile arrived, in milliseconds since 1970. */
  addPackfile(arrivedMs: number): void {
    this.packfiles.push(arrivedMs);
    this.isSorted = false;
  }

  /** Whether a state looks like a removal, once all packfiles are known. */
  has(state: Arrived): boolean {
    return isTiny(state) || (state.size <= smallBytes && !this.hasPackfileBefore(state.arrivedMs));
  }

  private hasPackfileBefore(ms: number): boolean {
    if (!this.isSorted) this.packfiles.sort((a, b) => a - b);
    this.isSorted = true;
    let [low, high] = [0, this.packfiles.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.packfiles[middle] ?? 0) < ms - backupMs) low = middle + 1;
      else high = middle;
    }
    return (this.packfiles[low] ?? Infinity) <= ms;
  }
}
