import { StoreError } from '../core/errors.js';
import type { Store } from '../core/store.js';
import type { Trash } from '../core/trash.js';
import { Arrivals } from './arrivals.js';
import { AsOf } from './as-of.js';
import { TrashIndex } from './trash-index.js';

/** What a view needs of a store's backend. */
export interface ViewSource {
  /** The store's trash; undefined while it isn't open. */
  readonly trash?: Trash | undefined;
  /** The store as of a moment, where the backend has views of its own. */
  asOf?(momentMs: number): Store | undefined;
}

/**
 * Gives the store as of moments, in milliseconds since 1970-01-01 UTC. Views cost nothing by themselves, need not be closed, and share what
 * they learn of the store.
 *
 * @param store with the layers that a view is to have
 * @param source the store's backend
 * @param servedAsOfMs the moment as of which the store itself is served, if it is: there is nothing later
 */
export function viewsOf(store: Store, source: ViewSource, servedAsOfMs = Infinity): (momentMs: number) => Store {
  const arrivals = new Arrivals(store);
  let known: { readonly trash: Trash; readonly index: TrashIndex } | undefined;
  return (wantedMs) => {
    const momentMs = Math.min(wantedMs, servedAsOfMs);
    const own = source.asOf?.(momentMs);
    if (own !== undefined) return own;
    const { trash } = source;
    if (trash === undefined) throw new StoreError('unavailable', "the store can't be reached, nor what it was");
    if (known?.trash !== trash) known = { trash, index: new TrashIndex(trash) };
    return new AsOf(store, { momentMs, arrivals, trash: known.index });
  };
}
