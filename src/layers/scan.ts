import type { ObjectRef } from '../core/object.js';
import { statAll, statTrashed } from '../core/stat-all.js';
import type { OpContext, Store } from '../core/store.js';
import type { Trash } from '../core/trash.js';

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
    /** What is in it counts as well; undefined: nothing. */
    private readonly trash?: Trash,
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

  /** Must be called when an object of this size was deleted, or moved to the trash, where it may have been counted again. */
  deleted(bytes: number): void {
    this.deletedBytes += bytes;
  }

  async run(ctx: OpContext): Promise<void> {
    for (const kind of ['packfile', 'state'] as const) {
      for await (const found of statAll(this.store, kind, ctx)) this.add(objectName(found), found.size);
    }
    // Afterwards, so that what is moved there meanwhile isn't missed.
    if (this.trash !== undefined) for await (const [, { size }] of statTrashed(this.trash, ctx)) this.counted += size;
  }

  /**
   * A lower and an upper bound of the store's size, at this moment. They differ by the size of objects that were deleted during the scan,
   * which may or may not have been counted (or, in the trash, once or twice), and of found objects that are still being put, which may or may not be new.
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
}
