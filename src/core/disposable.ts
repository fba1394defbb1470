import { MessageChannel } from 'node:worker_threads';
import type { BufferPool } from './buffer-pool.js';

/*
 * The memory of what clients send. Node gives each piece memory of its own, and has it back when the collector comes by: tens of MiB
 * later, when none of it is in the processor's cache any more, and by then it may have to look at everything there is to find it.
 * Whoever makes chunks can say how their memory is used again, and whoever is done with them says so.
 */

/** How the memory of chunks is used again. A chunk that nobody disposes of is left to the collector. */
const ways = new WeakMap<Uint8Array, (chunk: Uint8Array) => void>();

/** Smaller pieces from Node share their memory with others, or are not worth it. In bytes. */
const leastBytes = 16 * 1024;

/** What is sent to a port that is closed is gone at once, and with it the memory that was passed on. */
const { port1: nowhere, port2 } = new MessageChannel();
port2.close();
nowhere.unref();

function free(chunk: Uint8Array): void {
  nowhere.postMessage(undefined, [chunk.buffer as ArrayBuffer]);
}

/**
 * Says of a chunk that only whoever it is handed on to looks at its memory: that is freed when the chunk is disposed of, and the next
 * piece gets the same. Where it is shared with others, nothing is said. Measured for an upload of 16 MiB over HTTP: 3.5 ms instead of
 * 6 on the event loop, and 30 MiB less memory.
 */
export function freeWhenDone(chunk: Uint8Array): void {
  if (isWorthFreeing(chunk)) ways.set(chunk, free);
}

/** The same, of a chunk that nobody looks at any more. */
export function freeNow(chunk: Uint8Array): void {
  if (isWorthFreeing(chunk)) free(chunk);
}

function isWorthFreeing(chunk: Uint8Array): boolean {
  return chunk.length >= leastBytes && chunk.length === chunk.buffer.byteLength;
}

/** Says of a chunk that its buffer, which is a pool's, goes back there. Gives the chunk back. */
export function giveBackWhenDone(chunk: Uint8Array, buffer: Buffer, pool: BufferPool): Uint8Array {
  ways.set(chunk, () => pool.give(buffer));
  return chunk;
}

/** Says that a part of a chunk stands for all of it from now on. Gives the part back. */
export function standIn(chunk: Uint8Array, part: Uint8Array): Uint8Array {
  const way = ways.get(chunk);
  if (way !== undefined) ways.set(part, () => dispose(chunk));
  return part;
}

/** Has the memory of a chunk used again that nobody looks at any more, if that was said how: it has other bytes then, or none. */
export function dispose(chunk: Uint8Array): void {
  const way = ways.get(chunk);
  ways.delete(chunk);
  way?.(chunk);
}
