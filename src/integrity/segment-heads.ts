import type { DigestStorage, SegmentInfo } from '../core/digests.js';
import type { OpContext } from '../core/store.js';
import { mapAhead } from '../lib/map-ahead.js';
import type { SegmentState } from './digest-line.js';
import { segmentConcurrency } from './digest-log.js';
import { lastState, readAfterLines } from './digest-segment.js';

/** A segment as it is now. */
export interface Head extends SegmentState {
  readonly segment: string;
}

/**
 * The segments that a new one has to name: those of which another one doesn't tell all that they have. Through them it vouches for all others, so
 * that it names few, however many there are.
 *
 * @param failed is told of each segment that can't be read, which is left out
 */
export async function headsOf(
  storage: DigestStorage,
  ctx: OpContext,
  failed: (segment: string, error: unknown) => void,
): Promise<Head[]> {
  const segments = await storage.list(ctx);
  const orUndefined = async <T>(name: string, read: Promise<T>): Promise<T | undefined> => {
    try {
      return await read;
    } catch (error) {
      failed(name, error);
      return undefined;
    }
  };
  const toldBytes = new Map<string, number>();
  const told = ({ name }: SegmentInfo) => orUndefined(name, readAfterLines(storage, name, ctx));
  for await (const lines of mapAhead(segments, segmentConcurrency, told)) {
    for (const { segment, length } of lines ?? []) {
      toldBytes.set(segment, Math.max(length, toldBytes.get(segment) ?? 0));
    }
  }
  const heads: Head[] = [];
  const untold = segments.filter(({ name, size }) => size > (toldBytes.get(name) ?? 0));
  const look = async (segment: SegmentInfo) =>
    [segment.name, await orUndefined(segment.name, lastState(storage, segment, ctx))] as const;
  for await (const [segment, state] of mapAhead(untold, segmentConcurrency, look)) {
    if (state !== undefined && state.length > (toldBytes.get(segment) ?? 0)) heads.push({ segment, ...state });
  }
  return heads;
}
