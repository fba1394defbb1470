/** After slow operations so many go to the thread pool; twice as many after the next ones, up to the limit. */
const firstPenalty = 8;
const longestPenalty = 512;

/** So many quick ones in a row make up for all slow ones. */
const amends = 64;

/**
 * How much of a slow operation still counts after each quick one, and what they have to add up to: two close together. A single one
 * may be the system's doing, which gave the processor to somebody else for a moment.
 */
const fading = 0.8;
const tolerated = 1.5;

/**
 * Decides which small operations on a disk are done on the event loop: all as long as the disk answers from memory, where they
 * take a fraction of the time that a detour through the thread pool does; and few when it doesn't, so that a slow disk holds up
 * nobody else. Measured: the better of both, hot and cold.
 */
export class Detours {
  private penalty = firstPenalty;
  private left = 0;
  private quick = 0;
  private slowness = 0;

  /** Whether the next operation may be done on the event loop. */
  get mayStay(): boolean {
    return this.left === 0;
  }

  /** Whether an operation that begins now has to go through the thread pool. */
  next(): boolean {
    if (this.left === 0) return false;
    this.left--;
    return true;
  }

  /** Learns how long one took on the event loop, and how long it may take from memory. In milliseconds. */
  judge(tookMs: number, quickMs: number): void {
    if (tookMs <= quickMs) {
      this.slowness *= fading;
      if (++this.quick >= amends) this.penalty = firstPenalty;
      return;
    }
    this.quick = 0;
    this.slowness++;
    if (this.slowness <= tolerated) return;
    this.slowness = 1;
    this.left = this.penalty;
    this.penalty = Math.min(this.penalty * 2, longestPenalty);
  }
}
