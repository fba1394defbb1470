import type { MacBatch } from '../../core/mac-batch.js';

/**
 * A document with an array of MACs: `before`, which ends with `[`, the MACs, and `after`, which starts with `]`. Nothing comes
 * before the first batch is there, or the end: until then another answer can be given.
 */
export async function* jsonList(
  before: string,
  batches: AsyncIterable<MacBatch>,
  after: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let started = false;
  for await (const batch of batches) {
    if (batch.length === 0) continue;
    if (!started) yield Buffer.from(before);
    yield started ? batch.jsonContinued : batch.json;
    started = true;
  }
  yield Buffer.from(started ? after : before + after);
}
