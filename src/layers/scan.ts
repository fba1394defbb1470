import { hasCode } from '../core/errors.js';
import { mapAhead } from '../lib/map-ahead.js';
import type { Mac, ObjectRef } from '../core/object.js';
import type { OpContext, Store } from '../core/store.js';

/** How many objects are looked at at once: not many, since nobody waits for it for long. */
const statsAhead = 8;

/** An object's name among all kinds. */
export function objectName({ kind, mac }: ObjectRef): string {
  return `${kind}/${mac}`;
}

/**
 * Adds up the bytes of a store's packfiles and states, while puts and deletes go on that it is told of. What it finds of
 * names that are being put is kept apart, since only the put itself knows whether it is new.
 */
export class Scan {
  private counted = 0;
  private readonly touched: Set<string>;
  /** The sizes of what was found of `touched`. */
  private readonly found = new Map<string, number>();
  private readonly created = new Set<string>();
  private createdBytes = 0;
  private deletedBytes = 0;

  /** @param underWay names that are being put */
  constructor(
    private readonly store: Store,
    underWay: Iterable<string>,
  ) {
    this.touched = new Set(underWay);
  }

  /** To be told before a put begins. */
  putBegins(name: string): void {
    this.touched.add(name);
  }

  /** To be told when a put has made a new object. */
  putCreated(name: string, bytes: number): void {
    this.created.add(name);
    this.createdBytes += bytes;
  }

  /** To be told when an object of this size was deleted. */
  deleted(bytes: number): void {
    this.deletedBytes += bytes;
  }

  async run(ctx: OpContext): Promise<void> {
    for (const kind of ['packfile', 'state'] as const) {
      for await (const batch of this.store.list(kind, ctx)) {
        const measured = mapAhead(batch, statsAhead, async (mac: Mac) => this.measure({ kind, mac }, ctx));
        for await (const { name, size } of measured) this.add(name, size);
      }
    }
  }

  /**
   * What the store has at least and at most, now. They are the same where nothing was deleted meanwhile (who knows whether it
   * had been counted) and nothing was found that is still being put (who knows whether it is new).
   *
   * @param underWay names that are being put
   */
  bounds(underWay: ReadonlyMap<string, unknown>): { least: number; most: number } {
    let stored = this.counted + this.createdBytes;
    let unsure = 0;
    for (const [name, size] of this.found) {
      if (underWay.has(name)) unsure += size;
      else if (!this.created.has(name)) stored += size;
    }
    return { least: Math.max(0, stored - this.deletedBytes), most: stored + unsure };
  }

  private add(name: string, size: number): void {
    if (this.touched.has(name)) this.found.set(name, size);
    else this.counted += size;
  }

  /** What is deleted while the scan goes on counts nothing. */
  private async measure(ref: ObjectRef, ctx: OpContext): Promise<{ name: string; size: number }> {
    try {
      return { name: objectName(ref), size: (await this.store.stat(ref, ctx)).size };
    } catch (error) {
      if (hasCode(error, 'not_found')) return { name: objectName(ref), size: 0 };
      throw error;
    }
  }
}
