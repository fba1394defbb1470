import { ifPresent } from '../../core/errors.js';
import { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind } from '../../core/object.js';
import type { OpContext } from '../../core/store.js';
import type { VerifiedStore } from '../../integrity/store-copy.js';
import type { VerifiedRef } from '../../integrity/verify-report.js';
import { Layer } from '../../layers/layer.js';

/** A store decorator that lists only some of its objects, as far as they are there: to verify these costs no list of all. */
export class FewObjects extends Layer implements VerifiedStore {
  constructor(
    protected override readonly inner: VerifiedStore,
    private readonly refs: readonly VerifiedRef[],
  ) {
    super(inner);
  }

  get digests(): VerifiedStore['digests'] {
    return this.inner.digests;
  }

  override async *list(kind: ObjectKind, ctx: OpContext): AsyncGenerator<MacBatch, void, undefined> {
    const macs = new Set(this.refs.filter((ref) => ref.kind === kind).map(({ mac }) => mac));
    for (const mac of macs) {
      if ((await ifPresent(this.inner.stat({ kind, mac }, ctx))) !== undefined) yield MacBatch.of([mac]);
    }
  }
}
