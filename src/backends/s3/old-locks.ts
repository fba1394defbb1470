import { isMac } from '../../core/object.js';
import { forEachAhead } from '../../lib/for-each-ahead.js';
import type { Keys } from './keys.js';
import { isRefusedRemoval, pastOf, type History, type Versions } from './versions.js';
import type { Version } from './versions-page.js';

/** How many versions are removed at once. */
const atOnce = 8;

/**
 * Removes the old versions of locks, and those of deleted locks, for good. Clients write a lock every few minutes, so they add up.
 * What the bucket refuses to remove stays. Resolves to how many versions were removed.
 */
export async function removeOldLocks(versions: Versions, keys: Keys, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  const folder = keys.kind('lock');
  /** Whose older versions are still there. */
  const kept = new Set<string>();
  const remove = async (version: Version): Promise<void> => {
    try {
      await versions.removeAll([version], signal);
      removed++;
    } catch (error) {
      if (!isRefusedRemoval(error)) throw error;
      kept.add(version.key);
    }
  };
  for await (const all of versions.in(folder, signal)) {
    const histories = all.filter(([newest]) => newest && isMac(newest.key.slice(folder.length)));
    await forEachAhead(histories.flatMap(pastOf), atOnce, remove);
    // The markers last: the lock below one would be there again.
    const markers = histories.flatMap(markerOf).filter(({ key }) => !kept.has(key));
    await forEachAhead(markers, atOnce, remove);
  }
  return removed;
}

/** The marker that is what a name has now. */
function markerOf([newest]: History): Version[] {
  return newest?.isLatest && newest.isMarker ? [newest] : [];
}
