import type { Activity } from '../../core/activity.js';

/** Packfiles and states that callers put into a store and that are new. Plain data, which is sent between processes. */
export interface NewObjects {
  /** The store's name; empty for the default one. */
  readonly store: string;
  readonly objects: number;
  readonly bytes: number;
  /** Whether a state is among them: what it needs was put before it. */
  readonly hasState: boolean;
}

/** What is new in stores, by what callers did. */
export function newObjectsIn({ entries }: Activity): readonly NewObjects[] {
  const stores = new Map<string, NewObjects>();
  for (const { store, operation, kind, outcome, bytes = 0 } of entries) {
    if (operation !== 'put' || outcome !== 'created') continue;
    const before = stores.get(store) ?? { objects: 0, bytes: 0, hasState: false };
    const hasState = before.hasState || kind === 'state';
    stores.set(store, { store, objects: before.objects + 1, bytes: before.bytes + bytes, hasState });
  }
  return [...stores.values()];
}
