import { resolvePath } from '../lib/paths.js';
import type { StoreArgument } from './command-types.js';
import { namedStore, sharedTokenProblem, type StoreContext } from './named-store.js';
import { isInStore, placeOf } from './places.js';

/** A store that is compared with another copy. */
interface Compared extends StoreArgument {
  /** Where its damaged objects are moved to, as typed. */
  readonly toFolder?: string | undefined;
}

/** Why a store and its other copy can't be used together; undefined if they can. What is wrong with one of them is told when it is opened. */
export async function pairProblem(
  store: Compared,
  other: StoreArgument,
  context: StoreContext,
): Promise<string | undefined> {
  const [one, two] = [await namedStore(store, context), await namedStore(other, context)];
  if ('problems' in one || 'problems' in two) return undefined;
  if ((await placeOf(one.location)) === (await placeOf(two.location)))
    return 'the other copy is the store itself: name the place of a second copy';
  const folder = store.toFolder && resolvePath(store.toFolder, context.surroundings);
  for (const { location } of [one, two]) {
    if (folder !== undefined && (await isInStore(folder, location)))
      return `--to-folder ${store.toFolder}: this is in a store: name a folder elsewhere`;
  }
  return sharedTokenProblem(one, two, context);
}
