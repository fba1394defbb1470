import { expect } from 'chai';
import fc from 'fast-check';
import { GetObjectResponse, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';
import { GetResponse } from '../../../gen/plakar/store.js';
import { Scratch } from '../../../src/frontends/grpc/codecs.js';
import { plakarStoreDefinition } from '../../../src/frontends/grpc/plakar-store-service.js';
import { storeServiceDefinition } from '../../../src/frontends/grpc/store-service.js';

const bytes = fc.uint8Array({ maxLength: 400 });
const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);
const header = fc.option(fc.record({ objectSize: uint64, length: uint64 }), { nil: undefined });
const failure = fc.record({ code: fc.integer({ min: 0, max: 16 }), message: fc.string(), errorCode: fc.string() });
const answer = fc.record({
  tag: uint64,
  chunk: bytes,
  last: fc.boolean(),
  error: fc.option(failure, { nil: undefined }),
});

const scratch = new Scratch();

function itReadsBack<Message>(
  what: string,
  serialize: (message: Message) => Buffer,
  generated: { decode(input: Uint8Array): Message },
  messages: fc.Arbitrary<Message>,
): void {
  it(`makes ${what} that the generated decoder reads`, () => {
    fc.assert(
      fc.property(messages, (message) => {
        for (const each of [message, { ...message, scratch }])
          expect(plain(generated.decode(serialize(each)))).to.deep.equal(plain(message));
      }),
    );
  });
}

/** The same, with any kind of array of bytes as text. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

describe("The serializers for objects' bytes", () => {
  const { getObject, readRanges } = storeServiceDefinition;
  itReadsBack('pieces of objects', getObject.responseSerialize, GetObjectResponse, fc.record({ header, chunk: bytes }));
  itReadsBack(
    'answers to single reads',
    readRanges.responseSerialize,
    ReadRangesResponse,
    answer.map((each) => ({ ...each, answers: [] })),
  );
  itReadsBack(
    'answers that share a message',
    readRanges.responseSerialize,
    ReadRangesResponse,
    fc.array(answer, { minLength: 1, maxLength: 5 }).map((answers) => ({
      tag: 0n,
      chunk: new Uint8Array(),
      last: false,
      error: undefined,
      answers,
    })),
  );
  itReadsBack(
    "plakar's pieces of objects",
    plakarStoreDefinition.get.responseSerialize,
    GetResponse,
    fc.record({ chunk: bytes }),
  );
});
