import type { Places } from '../../lib/places.js';
import { LeasedPlaces } from './leased-places.js';

/** How often places that nobody uses are given back, in milliseconds. */
const giveIdleEveryMs = 10_000;

/** What a worker tells the primary about places. */
export interface LeaseRequests {
  /** Asks for places of a key: some are granted when there are any. */
  ask(key: string): void;
  giveBack(key: string, places: number): void;
}

/** The worker's side of `Ledger`: the places that it holds, by their key. */
export class Leases {
  private readonly all = new Map<string, LeasedPlaces>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly primary: LeaseRequests,
    idleEveryMs = giveIdleEveryMs,
  ) {
    this.timer = setInterval(() => this.giveIdle(), idleEveryMs).unref();
  }

  /** The same object as long as any of its places is held or wanted. */
  places(key: string): Places {
    const present = this.all.get(key);
    if (present !== undefined) return present;
    const made: LeasedPlaces = new LeasedPlaces(
      () => {
        // It may have been idle, and forgotten.
        this.all.set(key, made);
        this.primary.ask(key);
      },
      (places) => this.primary.giveBack(key, places),
    );
    this.all.set(key, made);
    return made;
  }

  granted(key: string, places: number): void {
    const leased = this.all.get(key);
    if (leased === undefined) this.primary.giveBack(key, places);
    else leased.granted(places);
  }

  recalled(key: string, places: number): void {
    this.all.get(key)?.recalled(places);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private giveIdle(): void {
    for (const [key, leased] of this.all) {
      if (!leased.isIdle) continue;
      leased.giveAllFree();
      // What is handed to it has to find it: it asks for no more before.
      if (!leased.isAwaited) this.all.delete(key);
    }
  }
}
