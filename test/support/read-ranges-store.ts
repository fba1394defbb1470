import type { ReadRangesResponse } from '../../gen/kloset/store/v1/store.js';
import { errorCodes, StoreError } from '../../src/core/errors.js';
import type { ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import { wireStatus } from '../../src/core/status.js';
import type { ObjectRead } from '../../src/core/store.js';
import { fromStatus, GrpcStore, wireRef } from './grpc-store.js';

/** The longest range there is. */
const everything: ByteRange = { offset: 0, length: 2 ** 32 - 1 };

/** A client of kloset.store.v1 that reads by ReadRanges alone. */
export class ReadRangesStore extends GrpcStore {
  override async get(ref: ObjectRef, range: ByteRange = everything): Promise<ObjectRead> {
    const call = this.client.readRanges();
    const wireRange = { offset: BigInt(range.offset), length: range.length };
    call.write({ store: this.name, tag: 1n, ref: wireRef(ref), range: wireRange });
    call.end();
    const chunks: Uint8Array[] = [];
    try {
      for await (const { error, chunk } of call as AsyncIterable<ReadRangesResponse>) {
        const code = error && errorCodes.find((each) => wireStatus[each].grpc === error.code);
        if (error) throw new StoreError(code ?? 'internal', error.message);
        chunks.push(chunk);
      }
    } catch (error) {
      throw fromStatus(error);
    }
    const data = Buffer.concat(chunks);
    return { objectSize: NaN, length: data.length, data, release: () => undefined };
  }
}
