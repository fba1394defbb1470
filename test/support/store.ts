import { expect } from 'chai';
import { setMaxListeners } from 'node:events';
import { StoreError, type ErrorCode } from '../../src/core/errors.js';
import type { Mac, ObjectKind, ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import type { ObjectRead, OpContext, Store } from '../../src/core/store.js';
import { inChunks } from './objects.js';

/** A context that never ends. */
export const ctx: OpContext = { signal: new AbortController().signal };
// Many operations listen to it at once, which Node would report as a leak.
setMaxListeners(0, ctx.signal);

export async function listAll(store: Store, kind: ObjectKind): Promise<Mac[]> {
  const macs: Mac[] = [];
  for await (const batch of store.list(kind, ctx)) macs.push(...batch);
  return macs;
}

export async function readAll(read: ObjectRead): Promise<Buffer> {
  try {
    if (read.data instanceof Uint8Array) return Buffer.from(read.data);
    const chunks: Buffer[] = [];
    // A chunk is valid only until the next one is asked for.
    for await (const chunk of read.data) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  } finally {
    read.release();
  }
}

export async function getAll(store: Store, ref: ObjectRef, range?: ByteRange): Promise<Buffer> {
  return readAll(await store.get(ref, range, ctx));
}

/** Puts bytes; resolves to whether they are new. */
export async function putAll(store: Store, ref: ObjectRef, bytes: Uint8Array, chunkSize?: number): Promise<boolean> {
  return (await store.put(ref, inChunks(bytes, chunkSize), ctx)).created;
}

/** Resolves to the StoreError that `work` fails with. Fails if `work` succeeds, or fails with something else. */
export async function failure(work: unknown): Promise<StoreError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('it succeeded, and should have failed');
}

export async function expectFailure(work: unknown, code: ErrorCode): Promise<StoreError> {
  const error = await failure(work);
  expect(error.code, error.message).to.equal(code);
  return error;
}

/** Waits until `check` gives a value that is neither undefined nor false. The limit is generous: the machine may be busy. */
export async function eventually<T>(
  check: () => Promise<T | undefined | false>,
  what: string,
  ms = 30_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
