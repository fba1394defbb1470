import type { Status } from '../../watch/status.js';

/** What the page is asked to show. */
export interface View {
  /** Only what is about this store; the empty name is the default store. */
  readonly store?: string | undefined;
  /** Whether long tables are shown whole. */
  readonly all: boolean;
}

/** The view that the query of a request asks for; undefined if it names a store that there isn't. */
export function viewOf(query: URLSearchParams, status: Status): View | undefined {
  const store = query.get('store') ?? undefined;
  if (store !== undefined && !status.stores.some(({ name }) => name === store)) return undefined;
  return { store, all: query.has('all') };
}

/** Where a view is, relative to the page. */
export function addressOf({ store, all }: View): string {
  const parts = [
    store !== undefined && `store=${encodeURIComponent(store).replaceAll('%2F', '/')}`,
    all && 'all',
  ].filter(Boolean);
  return parts.length === 0 ? './' : `?${parts.join('&')}`;
}

/** The part of the status that a view is about. */
export function within(status: Status, { store }: View): Status {
  if (store === undefined) return status;
  const own = <T extends { readonly store: string }>(all: readonly T[]): T[] =>
    all.filter((each) => each.store === store);
  return {
    ...status,
    stores: status.stores.filter(({ name }) => name === store),
    machines: own(status.machines),
    openSessions: own(status.openSessions),
    sessions: own(status.sessions),
    refusals: own(status.refusals),
  };
}
