import type { DigestStorage } from '../core/digests.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext } from '../core/store.js';
import { DigestIndex } from './digest-index.js';
import { DigestWriter } from './digest-writer.js';

/* What commands of the operator record where a store has digests. None of it ever fails, since the command matters more. */

/** The name of an operator's commands in segments. */
const operator = 'operator';

/** Records that objects will be moved to the trash: once they are purged there, they would be taken for lost. */
export async function recordDeletes(
  storage: DigestStorage | undefined,
  refs: readonly ObjectRef[],
  ctx: OpContext,
): Promise<void> {
  await recorded(storage, refs, ctx, async (recorder) => {
    await Promise.all(refs.map((ref) => recorder.recordDelete(ref)));
  });
}

/** Records that objects came back from the trash: if they are lost later, that isn't taken for the delete before. */
export async function recordRestores(
  storage: DigestStorage | undefined,
  refs: readonly ObjectRef[],
  ctx: OpContext,
): Promise<void> {
  await recorded(storage, refs, ctx, async (recorder, segments) => {
    const index = await DigestIndex.load(segments, ctx);
    const restored = refs.map(async (ref) => {
      const deletedMs = index.deletedMs(ref);
      if (deletedMs !== undefined) await recorder.recordRestored(ref, deletedMs);
    });
    await Promise.all(restored);
  });
}

async function recorded(
  storage: DigestStorage | undefined,
  refs: readonly ObjectRef[],
  ctx: OpContext,
  work: (recorder: DigestWriter, storage: DigestStorage) => Promise<void>,
): Promise<void> {
  if (storage === undefined || refs.length === 0) return;
  const recorder = new DigestWriter(storage, { instance: operator, host: operator, log: { warn: () => undefined } });
  try {
    if ((await storage.list(ctx)).length > 0) await work(recorder, storage);
  } catch {
    // Whatever couldn't be recorded stays as it was.
  } finally {
    await recorder.close();
  }
}
