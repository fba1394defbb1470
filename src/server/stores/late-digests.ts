import type { DigestStorage } from '../../core/digests.js';
import { StoreError } from '../../core/errors.js';

/** The digests that a store has at the time of an operation. Where it turns out that it can't have any, none are listed. */
export function lateDigests(storageOf: () => DigestStorage | undefined): DigestStorage {
  const storage = (): DigestStorage => {
    const found = storageOf();
    if (found === undefined) throw new StoreError('unimplemented', 'this store has no digests');
    return found;
  };
  return {
    get isDurable() {
      return storageOf()?.isDurable ?? false;
    },
    get maxSegmentBytes() {
      return storageOf()?.maxSegmentBytes ?? 0;
    },
    list: async (ctx) => storageOf()?.list(ctx) ?? [],
    read: (name, ctx, options) => storage().read(name, ctx, options),
    create: async (name) => storage().create(name),
  };
}
