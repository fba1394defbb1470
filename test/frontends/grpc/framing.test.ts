import { expect } from 'chai';
import fc from 'fast-check';
import {
  GetObjectResponse,
  ListObjectsResponse,
  RangeAnswer,
  ReadRangesResponse,
} from '../../../gen/kloset/store/v1/store.js';
import { GetResponse } from '../../../gen/plakar/store.js';
import { encodeChunked, encodeAnswers, encodeWhole, type Encode } from '../../../src/frontends/grpc/framing.js';

const bytes = fc.uint8Array({ maxLength: 400 });
const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);

/** The messages that pieces are on the wire, each behind a prefix that says that it isn't compressed, and how long it is. */
function messagesIn(pieces: readonly Uint8Array[]): Buffer[] {
  const all = Buffer.concat(pieces);
  const messages: Buffer[] = [];
  for (let at = 0; at < all.length;) {
    expect(all[at]).to.equal(0);
    const end = at + 5 + all.readUInt32BE(at + 1);
    expect(end).to.be.at.most(all.length);
    messages.push(all.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

function itReadsBack<Message>(
  what: string,
  generated: { decode(input: Uint8Array): Message },
  encode: Encode<Message>,
  messages: fc.Arbitrary<Message>,
): void {
  it(`gives ${what} that the generated decoder reads, each behind its length`, () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 5 }), (all) => {
        const read = messagesIn(encode(all)).map((message) => generated.decode(message));
        expect(plain(read)).to.deep.equal(plain(all));
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
    fc.record({ tag: uint64, chunk: bytes, last: fc.boolean(), error, answers: fc.constant([]) }),
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
    const pieces = encodeChunked(GetObjectResponse, 2)([{ header: { objectSize: 1n, length: 1n }, chunk }]);
    expect(pieces.some((piece) => piece === chunk)).to.equal(true);
  });

  it('leaves nothing of a message that could not be encoded in the next one', () => {
    const good = { tag: 7n, chunk: Buffer.from('chunk'), last: true, error: undefined, answers: [] };
    const bad = { ...good, error: { code: 2 ** 40, message: '' } };
    const answers = encodeAnswers<RangeAnswer & { shares: boolean }>(RangeAnswer, 2, 5);
    for (const encode of [
      encodeChunked(ReadRangesResponse, 2),
      (messages: readonly RangeAnswer[]) => answers(messages.map((each) => ({ ...each, shares: false }))),
      (messages: readonly RangeAnswer[]) => answers(messages.map((each) => ({ ...each, shares: true }))),
    ]) {
      const alone = messagesIn(encode([good]));
      expect(() => encode([bad])).to.throw();
      expect(messagesIn(encode([good]))).to.deep.equal(alone);
    }
  });

  describe('of answers that may share messages', () => {
    const encode = encodeAnswers<RangeAnswer & { shares: boolean }>(RangeAnswer, 2, 5);
    const read = (pieces: readonly Uint8Array[]): ReadRangesResponse[] =>
      messagesIn(pieces).map((message) => ReadRangesResponse.decode(message));
    const answer = (tag: number, length: number) => ({
      tag: BigInt(tag),
      chunk: Buffer.alloc(length, tag),
      last: true,
      error: undefined,
      shares: true,
    });

    it('has one message for those that may, and one for each of the others', () => {
      const answers = fc.array(
        fc.record({ tag: uint64, chunk: bytes, last: fc.boolean(), error, shares: fc.boolean() }),
      );
      fc.assert(
        fc.property(answers, (all) => {
          const messages = read(encode(all));
          const fields = ({ tag, chunk, last, error: failure }: RangeAnswer) => ({ tag, chunk, last, error: failure });
          const [shared, alone] = [true, false].map((shares) =>
            all.filter((each) => each.shares === shares).map(fields),
          );
          expect(plain(messages.filter((each) => each.answers.length === 0).map(fields))).to.deep.equal(plain(alone));
          const nothing = { tag: 0n, chunk: new Uint8Array(), last: false, error: undefined };
          const sharing = messages.filter((each) => each.answers.length > 0);
          expect(plain(sharing)).to.deep.equal(plain(shared?.length === 0 ? [] : [{ ...nothing, answers: shared }]));
        }),
      );
    });

    it('begins another message before one gets large', () => {
      const answers = Array.from({ length: 40 }, (_, i) => answer(i, i * 1000));
      const messages = read(encode([...answers, answer(40, 1024 * 1024), answer(41, 1)]));
      const tags = messages.flatMap((message) => message.answers.map(({ tag }) => Number(tag)));
      expect(tags).to.deep.equal(Array.from({ length: 42 }, (_, i) => i));
      const sizes = messages.map(({ answers: each }) => each.reduce((sum, { chunk }) => sum + chunk.length, 0));
      expect(sizes).to.have.length(6);
      expect(sizes.filter((size) => size > 256 * 1024)).to.deep.equal([1024 * 1024]);
    });

    it('has large chunks themselves among the pieces, not copies', () => {
      const large = answer(1, 1024 * 1024);
      expect(encode([answer(2, 10), large]).some((piece) => piece === large.chunk)).to.equal(true);
    });
  });
});
