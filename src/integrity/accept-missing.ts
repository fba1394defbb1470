import type { DigestRecorder } from '../core/digests.js';
import type { OpContext } from '../core/store.js';
import { lostObjects } from './lost-objects.js';
import { StoreCopy, type VerifiedStore } from './store-copy.js';
import type { VerifiedRef } from './verify-report.js';

/**
 * Records missing objects as deleted, for an operator who knows that they were deleted directly in the store. From then on they don't count as
 * damage, unless they are put again and get lost. Reads no object. Resolves to these objects; fails with a StoreError where one can't be recorded.
 */
export async function acceptMissing(
  store: VerifiedStore,
  recorder: Pick<DigestRecorder, 'recordDelete'>,
  ctx: OpContext,
): Promise<readonly VerifiedRef[]> {
  const missing = await lostObjects(await StoreCopy.open(store, undefined, ctx), () => true, ctx);
  await Promise.all(missing.map((ref) => recorder.recordDelete(ref)));
  return missing;
}
