import { expect } from 'chai';
import fc from 'fast-check';
import { GetObjectResponse, ListObjectsResponse, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';
import { GetResponse } from '../../../gen/plakar/store.js';
import { encodeChunked, encodeWhole, type Encode } from '../../../src/frontends/grpc/framing.js';

const bytes = fc.uint8Array({ maxLength: 400 });
const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);

/** The message that pieces are on the wire, and the prefix before it. */
function joined(pieces: readonly Uint8Array[]): { prefix: Buffer; message: Buffer } {
  const all = Buffer.concat(pieces);
  return { prefix: all.subarray(0, 5), message: all.subarray(5) };
}

function itReadsBack<Message>(
  what: string,
  generated: { decode(input: Uint8Array): Message },
  encode: Encode<Message>,
  messages: fc.Arbitrary<Message>,
): void {
  it(`gives ${what} that the generated decoder reads, behind its length`, () => {
    fc.assert(
      fc.property(messages, (each) => {
        const { prefix, message } = joined(encode(each));
        expect(prefix[0]).to.equal(0);
        expect(prefix.readUInt32BE(1)).to.equal(message.length);
        expect(plain(generated.decode(message))).to.deep.equal(plain(each));
      }),
    );
  });
}

/** The same whatever kind of array bytes are in. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

describe('The framing of messages', () => {
  const header = fc.option(fc.record({ objectSize: uint64, length: uint64 }), { nil: undefined });
  const error = fc.option(fc.record({ code: fc.integer({ min: 0, max: 16 }), message: fc.string() }), {
    nil: undefined,
  });
  itReadsBack(
    'pieces of objects',
    GetObjectResponse,
    encodeChunked(GetObjectResponse, 2),
    fc.record({ header, chunk: bytes }),
  );
  itReadsBack(
    'answers to reads',
    ReadRangesResponse,
    encodeChunked(ReadRangesResponse, 2),
    fc.record({ tag: uint64, chunk: bytes, last: fc.boolean(), error }),
  );
  itReadsBack("plakar's pieces", GetResponse, encodeChunked(GetResponse, 1), fc.record({ chunk: bytes }));
  itReadsBack(
    'lists',
    ListObjectsResponse,
    encodeWhole(ListObjectsResponse),
    fc.record({
      macs: fc.array(bytes),
      details: fc.array(fc.record({ size: uint64, modifiedUnixMs: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) })),
    }),
  );

  it('has the chunk itself among the pieces, not a copy', () => {
    const chunk = Buffer.alloc(1024 * 1024);
    const pieces = encodeChunked(GetObjectResponse, 2)({ header: { objectSize: 1n, length: 1n }, chunk });
    expect(pieces.some((piece) => piece === chunk)).to.equal(true);
  });

  it('leaves nothing of a message that could not be encoded in the next one', () => {
    const encode = encodeChunked(ReadRangesResponse, 2);
    const good = { tag: 7n, chunk: Buffer.from('chunk'), last: true, error: undefined };
    const bad = { ...good, error: { code: 2 ** 40, message: '' } };
    const alone = joined(encode(good));
    expect(() => encode(bad)).to.throw();
    expect(joined(encode(good))).to.deep.equal(alone);
  });
});
