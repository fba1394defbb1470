import { ifPresent } from '../core/errors.js';
import { mapAhead } from '../lib/map-ahead.js';
import type { Mac, ObjectRef } from '../core/object.js';
import type { OpContext, Store } from '../core/store.js';

/** How many stat calls run at once: few, as a scan should not slow down requests. */
const statConcurrency = 8;

/** Names an object uniquely among all kinds. */
export function objectName({ kind, mac }: ObjectRef): string {
  return `${kind}/${mac}`;
}

/**
 * Adds up the sizes of a store's packfiles and states while puts and deletes continue, of which it has to be told. Objects that are found
 * while they are being put are counted separately, because only the put knows whether they are new.
 */
export class Scan {
  private counted = 0;
  private readonly touched: Set<string>;
  /** The sizes of the objects of `touched` that were found. */
  private readonly found = new Map<string, number>();
  private readonly created = new Set<string>();
  private createdBytes = 0;
  private deletedBytes = 0;

  /** @param puts the names of objects that are being put */
  constructor(
    private readonly store: Store,
    puts: Iterable<string>,
  ) {
    this.touched = new Set(puts);
  }

  /** Must be called before a put begins. */
  putBegins(name: string): void {
    this.touched.add(name);
  }

  /** Must be called when a put has created an object. */
  putCreated(name: string, bytes: number): void {
    this.created.add(name);
    this.createdBytes += bytes;
  }

  /** Must be called when an object of this size was deleted. */
  deleted(bytes: number): void {
    this.deletedBytes += bytes;
  }

  async run(ctx: OpContext): Promise<void> {
    for (const kind of ['packfile', 'state'] as const) {
      for await (const batch of this.store.list(kind, ctx)) {
        const measured = mapAhead(batch, statConcurrency, async (mac: Mac) => this.measure({ kind, mac }, ctx));
        for await (const { name, size } of measured) this.add(name, size);
      }
    }
  }

  /**
   * A lower and an upper bound of the store's size, at this moment. They differ by the size of objects that were deleted during the scan,
   * which may or may not have been counted, and of found objects that are still being put, which may or may not be new.
   *
   * @param puts the names of objects that are being put
   */
  bounds(puts: ReadonlyMap<string, unknown>): { least: number; most: number } {
    let stored = this.counted + this.createdBytes;
    let unsure = 0;
    for (const [name, size] of this.found) {
      if (puts.has(name)) unsure += size;
      else if (!this.created.has(name)) stored += size;
    }
    return { least: Math.max(0, stored - this.deletedBytes), most: stored + unsure };
  }

  private add(name: string, size: number): void {
    if (this.touched.has(name)) this.found.set(name, size);
    else this.counted += size;
  }

  /** An object that was deleted since it was listed has size 0. */
  private async measure(ref: ObjectRef, ctx: OpContext): Promise<{ name: string; size: number }> {
    const stat = await ifPresent(this.store.stat(ref, ctx));
    return { name: objectName(ref), size: stat?.size ?? 0 };
  }
}
