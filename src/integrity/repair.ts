import { createHash } from 'node:crypto';
import { hasCode, ifPresent, StoreError } from '../core/errors.js';
import type { ObjectRead, OpContext, Store } from '../core/store.js';
import { watched } from '../lib/watched.js';
import type { Replacement } from './object-check.js';
import { chunksOf, ObjectReader } from './object-reader.js';
import type { VerifiedStore } from './store-copy.js';
import { isRead } from './verdict.js';
import { verifyStore, type VerifyObserver, type VerifyOptions } from './verify.js';
import type { Damage, VerifiedRef, VerifyReport } from './verify-report.js';

/** A store whose objects can be replaced: see `OpenedStore.replace`. */
export interface RepairableStore extends VerifiedStore {
  replace?(
    ref: VerifiedRef,
    body: AsyncIterable<Uint8Array>,
    arrivedMs: number,
    ctx: OpContext,
    options?: { readonly mustExist?: boolean },
  ): Promise<void>;
}

export interface RepairOptions extends Pick<VerifyOptions, 'jobs' | 'bytesPerSecond'> {
  /** The other copy. */
  readonly from: VerifiedStore;
  /**
   * Starts of MACs, in lower case: only these objects are repaired. What is named so is also put where only the other copy has it. Default:
   * whatever is damaged for certain.
   */
  readonly macs?: readonly string[] | undefined;
  /** Whether objects are also replaced where nothing tells which copy is right. Default: they are left. */
  readonly unproven?: boolean | undefined;
  /** Whether objects are replaced; otherwise it is only found out which ones would be. */
  readonly apply: boolean;
  /** Keeps a damaged object before it is replaced, as far as it can be read. Default: it isn't kept but by the store. */
  readonly keep?: ((ref: VerifiedRef, read: ObjectRead) => Promise<void>) | undefined;
  readonly on?: Pick<VerifyObserver, 'planned' | 'checked'> | undefined;
}

export interface RepairReport {
  readonly verified: VerifyReport;
  /** What was replaced, or would be. */
  readonly repaired: readonly Damage[];
  /** What the other copy can't mend, or nothing tells which copy is right. */
  readonly left: readonly Damage[];
}

/**
 * Finds damaged objects, as `verifyStore` does, and replaces each with the bytes of the other copy, if those are right or likely to be. An object
 * is replaced at once, and has been read back when this goes on. Where it is interrupted, the same call does what is left.
 */
export async function repairStore(
  store: RepairableStore,
  options: RepairOptions,
  ctx: OpContext,
): Promise<RepairReport> {
  const { jobs, bytesPerSecond, from, macs, unproven = false, apply, on } = options;
  if (store.replace === undefined)
    throw new StoreError('unimplemented', 'its objects can only be replaced by the machine that keeps the store');
  const repaired: Damage[] = [];
  const left: Damage[] = [];
  const damaged = async (damage: Damage, replacement: Replacement | undefined): Promise<void> => {
    const isWanted = damage.otherCopy !== 'unsure' || unproven;
    if (replacement === undefined || !isWanted) return void left.push(damage);
    if (!apply || (await isReplaced(store, damage, replacement, options, ctx))) repaired.push(damage);
  };
  const verify = { jobs, bytesPerSecond, macs, takesOnlyThere: true, against: from, on: { ...on, damaged } };
  return { verified: await verifyStore(store, verify, ctx), repaired, left };
}

/** Replaces a damaged object. Resolves to false where a client has deleted it meanwhile: it isn't brought back then. */
async function isReplaced(
  store: RepairableStore,
  damage: Damage,
  replacement: Replacement,
  options: RepairOptions,
  ctx: OpContext,
): Promise<boolean> {
  try {
    await replaceOne(store, damage, replacement, options, ctx);
    return true;
  } catch (error) {
    const isDeleted = damage.problem !== 'missing' && hasCode(error, 'not_found');
    if (isDeleted && (await ifPresent(store.stat(damage.ref, ctx))) === undefined) return false;
    throw error;
  }
}

async function replaceOne(
  store: RepairableStore,
  { ref, problem }: Damage,
  replacement: Replacement,
  { from, keep }: RepairOptions,
  ctx: OpContext,
): Promise<void> {
  if (keep !== undefined && problem !== 'missing' && problem !== 'unreadable') await kept(store, ref, keep, ctx);
  const read = await from.get(ref, undefined, ctx);
  try {
    const body = exactly(replacement, copies(read));
    await store.replace?.(ref, body, replacement.arrivedMs, ctx, { mustExist: problem !== 'missing' });
  } finally {
    read.release();
  }
  const written = await new ObjectReader(store).read(ref, {}, ctx);
  if (isRead(written) && written.sha256.equals(replacement.sha256)) return;
  throw new StoreError('unavailable', `${ref.kind} ${ref.mac} was replaced, and can't be read back as it was written`);
}

async function kept(
  store: Store,
  ref: VerifiedRef,
  keep: NonNullable<RepairOptions['keep']>,
  ctx: OpContext,
): Promise<void> {
  const read = await store.get(ref, undefined, ctx);
  try {
    await keep(ref, read);
  } finally {
    read.release();
  }
}

/** Copies of a read's chunks: those are valid only until the next one, and a store keeps what it is given. */
async function* copies(read: ObjectRead): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunksOf(read)) yield Buffer.from(chunk);
}

/** The same bytes; fails at the end if they aren't those that were checked. */
function exactly({ size, sha256 }: Replacement, chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  let length = 0;
  return watched(chunks, {
    chunk: (chunk) => {
      hash.update(chunk);
      length += chunk.length;
    },
    end: () => {
      if (length === size && hash.digest().equals(sha256)) return;
      throw new StoreError('unavailable', 'the other copy gave other bytes than before: nothing was replaced by them');
    },
  });
}
