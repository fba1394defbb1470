import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Up to here a read may be done on the event loop, in bytes. */
const smallBytes = 256 * 1024;

/** A read from memory takes this long at most: a system call, and the copying. In milliseconds, and milliseconds per byte. */
const quickMs = 0.04;
const quickMsPerByte = 0.5e-6;

/** After a slow read so many go to the thread pool; twice as many after the next one, up to the limit. */
const firstPenalty = 8;
const longestPenalty = 512;

/** So many quick reads in a row make up for all slow ones. */
const amends = 256;

/**
 * Reads small pieces on the event loop as long as the disk answers from memory, where they take a fraction of the time that a
 * detour through the thread pool does; and through the thread pool when it doesn't, so that a slow disk holds up nobody else.
 * Measured: the better of both, hot and cold.
 */
export class AdaptiveReader {
  private penalty = firstPenalty;
  private detours = 0;
  private quick = 0;

  /** @param now a clock, in milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Reads up to `length` bytes at `offset` into `target` from its byte `at`; resolves to how many. */
  read(file: FileHandle, target: Uint8Array, at: number, length: number, offset: number): number | Promise<number> {
    if (length > smallBytes) return readInPool(file, target, at, length, offset);
    if (this.detours > 0) {
      this.detours--;
      return readInPool(file, target, at, length, offset);
    }
    const start = this.now();
    const got = readSync(file.fd, target, at, length, offset);
    this.judge(this.now() - start, length);
    return got;
  }

  private judge(tookMs: number, length: number): void {
    if (tookMs <= quickMs + quickMsPerByte * length) {
      if (++this.quick >= amends) this.penalty = firstPenalty;
      return;
    }
    this.quick = 0;
    this.detours = this.penalty;
    this.penalty = Math.min(this.penalty * 2, longestPenalty);
  }
}

async function readInPool(
  file: FileHandle,
  target: Uint8Array,
  at: number,
  length: number,
  offset: number,
): Promise<number> {
  const { bytesRead } = await file.read(target, at, length, offset);
  return bytesRead;
}
