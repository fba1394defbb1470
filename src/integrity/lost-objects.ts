import { ifPresent } from '../core/errors.js';
import type { OpContext } from '../core/store.js';
import { forEachAhead } from '../lib/for-each-ahead.js';
import { DigestIndex } from './digest-index.js';
import type { StoreCopy } from './store-copy.js';
import { verifiedKinds, type VerifiedRef } from './verify-report.js';

/** How many objects are looked for at once. */
const statConcurrency = 16;

/**
 * The objects that were recorded, aren't there, and were deleted by no client, as far as that was recorded. They may be in the trash: what a
 * repair has replaced stays there.
 *
 * @param isChosen which ones are looked for
 */
export async function lostObjects(
  copy: StoreCopy,
  isChosen: (ref: VerifiedRef) => boolean,
  ctx: OpContext,
): Promise<VerifiedRef[]> {
  const { store, digests } = copy;
  if (store.digests === undefined || digests === undefined) return [];
  const unlisted = new Map<string, VerifiedRef>();
  for (const ref of expected(digests)) if (!copy.has(ref) && isChosen(ref)) unlisted.set(keyOf(ref), ref);
  // What was put or deleted while the store was listed.
  await forEachAhead([...unlisted], statConcurrency, async ([key, ref]) => {
    if ((await ifPresent(store.stat(ref, ctx))) !== undefined) unlisted.delete(key);
  });
  if (unlisted.size === 0) return [];
  const now = await DigestIndex.load(store.digests, ctx);
  return [...expected(now)].filter((ref) => unlisted.has(keyOf(ref)));
}

function* expected(digests: DigestIndex): Generator<VerifiedRef, void, undefined> {
  for (const kind of verifiedKinds) for (const mac of digests.expected(kind)) yield { kind, mac };
}

function keyOf({ kind, mac }: { readonly kind: string; readonly mac: string }): string {
  return `${kind} ${mac}`;
}
