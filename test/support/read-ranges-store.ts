import type { RangeAnswer, ReadRangesResponse } from '../../gen/kloset/store/v1/store.js';
import type { ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import type { ObjectRead } from '../../src/core/store.js';
import { fromReadError } from '../../src/wire/errors.js';
import { fromStatus, GrpcStore, wireRef } from './grpc-store.js';

/** The longest possible range. */
const everything: ByteRange = { offset: 0, length: 2 ** 32 - 1 };

/** A client of kloset.store.v1 that reads with ReadRanges only. */
export class ReadRangesStore extends GrpcStore {
  /** Whether answers may share messages. */
  protected readonly shares: boolean = false;

  override async get(ref: ObjectRef, range: ByteRange = everything): Promise<ObjectRead> {
    const call = this.client.readRanges();
    const read = { ref: wireRef(ref), range: { offset: BigInt(range.offset), length: range.length } };
    const nothing = { tag: 0n, ref: undefined, range: undefined };
    if (this.shares) call.write({ store: this.name, ...nothing, reads: [{ tag: 1n, ...read }] });
    else call.write({ store: this.name, tag: 1n, ...read, reads: [] });
    call.end();
    const chunks: Uint8Array[] = [];
    try {
      for await (const response of call as AsyncIterable<ReadRangesResponse>) {
        for (const { error, chunk } of answersIn(response)) {
          if (error) throw fromReadError(error);
          chunks.push(chunk);
        }
      }
    } catch (error) {
      throw fromStatus(error);
    }
    const data = Buffer.concat(chunks);
    return { objectSize: NaN, length: data.length, data, release: () => undefined };
  }
}

/** The same, with answers that may share messages. */
export class SharedReadRangesStore extends ReadRangesStore {
  protected override readonly shares = true;
}

/** All answers of a message, whether it is for one read or for several. */
export function answersIn(response: ReadRangesResponse): readonly RangeAnswer[] {
  return response.answers.length === 0 ? [response] : response.answers;
}
