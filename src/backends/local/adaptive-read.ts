import { read, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Detours } from './detours.js';

/** Up to here a read may be done on the event loop, in bytes. */
const smallBytes = 256 * 1024;

/** A read from memory takes this long at most: a system call, and the copying. In milliseconds, and milliseconds per byte. */
const quickMs = 0.04;
const quickMsPerByte = 0.5e-6;

/** Reads small pieces on the event loop where that is quick, and everything else through the thread pool. */
export class AdaptiveReader {
  private readonly detours = new Detours();

  /** @param now a clock, in milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Reads up to `length` bytes at `offset` into `target` from its byte `at`; resolves to how many. */
  read(file: FileHandle, target: Uint8Array, at: number, length: number, offset: number): number | Promise<number> {
    if (length > smallBytes || this.detours.next()) return readInPool(file, target, at, length, offset);
    return this.readHere(file, target, at, length, offset);
  }

  /** The same, at once; undefined where the thread pool has to do it. */
  readNow(file: FileHandle, target: Uint8Array, length: number, offset: number): number | undefined {
    if (length > smallBytes || !this.detours.mayStay) return undefined;
    return this.readHere(file, target, 0, length, offset);
  }

  private readHere(file: FileHandle, target: Uint8Array, at: number, length: number, offset: number): number {
    const start = this.now();
    const got = readSync(file.fd, target, at, length, offset);
    this.detours.judge(this.now() - start, quickMs + quickMsPerByte * length);
    return got;
  }
}

/** Not by the handle's own `read`, which takes longer for what is around the reading than that takes. */
function readInPool(
  { fd }: FileHandle,
  target: Uint8Array,
  at: number,
  length: number,
  offset: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, target, at, length, offset, (error, got) => (error ? reject(error) : resolve(got)));
  });
}
