import type { CopyListener, Sum } from '../../replication/copy.js';

const none: Sum = { objects: 0, bytes: 0 };

/** What the second copy of a store lacks, as far as is known: what runs have found and not copied, and what was added since. */
export class MirrorBacklog {
  /** Undefined before a run has listed the stores. */
  private left: Sum | undefined;
  /** What was added since the last run listed what there is. */
  private addedSince: Sum = none;

  /** @param changed called when it has changed */
  constructor(private readonly changed: () => void) {}

  get missing(): Sum | undefined {
    return this.left && plus(this.left, this.addedSince);
  }

  /** Adds what callers have put into the store. */
  add(objects: Sum): void {
    this.addedSince = plus(this.addedSince, objects);
    this.changed();
  }

  /** Follows a run, which begins now. */
  listener(): CopyListener {
    const addedBefore = this.addedSince;
    let isListed = false;
    let all = none;
    let done = none;
    const update = (): void => {
      this.left = minus(all, done);
      this.changed();
    };
    return {
      planned: (found) => {
        if (!isListed) this.addedSince = minus(this.addedSince, addedBefore);
        isListed = true;
        all = found;
        update();
      },
      copied: (_, bytes) => {
        done = plus(done, { objects: 1, bytes });
        update();
      },
    };
  }

  /** A run came to its end, and this is left. */
  ended(missing: Sum): void {
    this.left = missing;
  }
}

function plus(a: Sum, b: Sum): Sum {
  return { objects: a.objects + b.objects, bytes: a.bytes + b.bytes };
}

function minus(a: Sum, b: Sum): Sum {
  return { objects: a.objects - b.objects, bytes: a.bytes - b.bytes };
}
