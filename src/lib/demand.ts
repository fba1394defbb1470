/**
 * Delivers items as they are asked for: each waits here until `request` has been called once for it. For a source that has no further
 * item before its last one was delivered.
 */
export class Demand {
  private waiting: (() => void) | undefined;

  /** @param requested how many may be delivered without being asked for; Infinity for all */
  constructor(private requested: number) {}

  /** From now on, nothing is delivered that isn't asked for. */
  hold(): void {
    this.requested = 0;
  }

  /** Asks for one item. */
  request(): void {
    const deliver = this.waiting;
    this.waiting = undefined;
    if (deliver === undefined) this.requested++;
    else deliver();
  }

  /** Calls `item` now if it was asked for already, and otherwise when it is. */
  deliver(item: () => void): void {
    if (this.requested === 0) {
      this.waiting = item;
      return;
    }
    this.requested--;
    item();
  }
}
