import { MessageChannel } from 'node:worker_threads';
import type { BufferPool } from './buffer-pool.js';

/*
 * The memory of what clients send. Whoever makes chunks can say how their memory is used again, and whoever is done with them says so. Left
 * to itself, Node has it back when the collector comes by: tens of MiB later, when none of it is in the processor's cache any more.
 */

/** How the memory of chunks is used again. A chunk that nobody disposes of is left to the collector. */
const ways = new WeakMap<Uint8Array, () => void>();

/** Smaller pieces from Node share their memory with others, or are not worth it. In bytes. */
const leastBytes = 16 * 1024;

/** What is sent to a port that is closed is gone at once, and with it the memory that was passed on. */
const { port1: nowhere, port2 } = new MessageChannel();
port2.close();
nowhere.unref();

/** Frees the memory of a chunk from Node that nobody looks at any more, so that the next piece gets the same. Where others share it, it stays. */
export function freeNow(chunk: Uint8Array): void {
  if (chunk.length < leastBytes || chunk.length < chunk.buffer.byteLength) return;
  nowhere.postMessage(undefined, [chunk.buffer as ArrayBuffer]);
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

/** Has the memory of a chunk used again that nobody looks at any more, if that was said how: it has other bytes then. */
export function dispose(chunk: Uint8Array): void {
  const way = ways.get(chunk);
  ways.delete(chunk);
  way?.();
}
