import { ifPresent } from '../core/errors.js';
import type { MacBatch } from '../core/mac-batch.js';
import { readHeader } from '../core/read-header.js';
import { retried, type Bounds } from '../core/retry.js';
import type { OpContext } from '../core/store.js';
import { forEachAhead } from '../lib/for-each-ahead.js';
import { readOnceMore, type Pair, type Side } from './failures.js';
import { failingOn } from './reading.js';
import type { CopiedKind, CopiedRef, Difference } from './report.js';

/** How many objects are compared at once: over 30 ms of delay several hundred in a second. */
const concurrency = 64;

type Header = Awaited<ReturnType<typeof readHeader>>;

/** Compares objects that two stores have by their sizes and headers. */
export class Comparison {
  constructor(
    private readonly pair: Pair,
    private readonly bounds: Bounds,
    private readonly ctx: OpContext,
  ) {}

  /** @param found is told of each object. What is deleted meanwhile has no difference. */
  async run(
    kind: CopiedKind,
    macs: readonly MacBatch[],
    found: (difference: Difference | undefined) => void,
  ): Promise<void> {
    await forEachAhead(refs(kind, macs), concurrency, async (ref) => {
      this.ctx.signal.throwIfAborted();
      found(await this.compare(ref));
    });
  }

  private async compare(ref: CopiedRef): Promise<Difference | undefined> {
    const source = await this.headOf('source', ref);
    if (source === undefined || 'what' in source) return source;
    const destination = await this.headOf('destination', ref);
    if (destination === undefined || 'what' in destination) return destination;
    if (source.size !== destination.size) {
      const text = `it has ${source.size} bytes in the source, and ${destination.size} in the destination`;
      return { ref, what: 'size', text };
    }
    const [here, there] = [source, destination].map(({ header }) => Buffer.from(header).toString('hex'));
    if (here === there) return undefined;
    const text = `it begins with ${here} in the source, and with ${there} in the destination`;
    return { ref, what: 'header', text };
  }

  /** The size and header of an object, or that it can't be read; undefined if there is none. */
  private async headOf(side: Side, ref: CopiedRef): Promise<Header | Difference | undefined> {
    const read = (): Promise<Header | undefined> =>
      ifPresent(readHeader(this.pair[side], ref, this.ctx)).catch(failingOn(side));
    return retried(this.bounds, read).catch((error: unknown) => readOnceMore(this.pair, ref, error, this.ctx, read));
  }
}

function* refs(kind: CopiedKind, batches: readonly MacBatch[]): Generator<CopiedRef, void, undefined> {
  for (const batch of batches) for (const mac of batch) yield { kind, mac };
}
