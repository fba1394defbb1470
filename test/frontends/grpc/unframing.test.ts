import { expect } from 'chai';
import fc from 'fast-check';
import { PutObjectRequest } from '../../../gen/kloset/store/v1/store.js';
import { PutRequest, StorageResource } from '../../../gen/plakar/store.js';
import { decodeChunked, MessagePieces, StreamDecoder } from '../../../src/frontends/grpc/unframing.js';
import { framed } from '../../wire/support/raw-grpc.js';

const KiB = 1024;
const largest = 4 * KiB * KiB;
const decode = decodeChunked(PutObjectRequest, 2, (value): PutObjectRequest => ({ part: { $case: 'chunk', value } }));

/** What a decoder makes of bytes that come in parts of a size. */
function written(bytes: Buffer, partBytes: number): (MessagePieces | Buffer)[] {
  const decoder = new StreamDecoder(largest);
  const messages: (MessagePieces | Buffer)[] = [];
  for (let at = 0; at < bytes.length; at += partBytes)
    messages.push(...decoder.write(bytes.subarray(at, at + partBytes)));
  return messages;
}

function joined(message: MessagePieces | Buffer | undefined): Buffer {
  expect(message).to.be.instanceOf(MessagePieces);
  return Buffer.concat((message as MessagePieces).pieces);
}

function encoded(part: PutObjectRequest['part']): Buffer {
  return Buffer.from(PutObjectRequest.encode({ part }).finish());
}

/** All messages that a message is decoded to. */
function decoded(bytes: Buffer, pieceBytes: number): PutObjectRequest[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return [decode(new MessagePieces(pieces))].flat() as PutObjectRequest[];
}

function chunks(messages: readonly PutObjectRequest[]): Buffer[] {
  return messages.map(({ part }) => {
    expect(part?.$case).to.equal('chunk');
    return part?.$case === 'chunk' ? Buffer.from(part.value) : Buffer.alloc(0);
  });
}

describe('StreamDecoder', () => {
  it('finds the messages, whatever the bytes are cut into', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 })),
        fc.integer({ min: 1, max: 60 }),
        (messages, partBytes) => {
          const found = written(Buffer.concat(messages.map(framed)), partBytes).map(joined);
          expect(found).to.deep.equal(messages.map((each) => Buffer.from(each)));
        },
      ),
    );
  });

  it('copies nothing of a message that is not compressed', () => {
    const data = framed(Buffer.from('some bytes'));
    const [message] = new StreamDecoder(largest).write(data);
    data.fill('x', 5);
    expect(joined(message).toString()).to.equal('xxxxxxxxxx');
  });

  it('gives a compressed message as grpc-js does: whole, with its prefix', () => {
    const compressed = framed(Buffer.from('some bytes'));
    compressed[0] = 1;
    const plain = framed(Buffer.from('more'));
    const [first, second] = written(Buffer.concat([compressed, plain]), 3);
    expect(first).to.deep.equal(compressed);
    expect(joined(second).toString()).to.equal('more');
  });

  it('takes messages as large as they may be, and refuses larger ones before they come', () => {
    expect(joined(new StreamDecoder(largest).write(framed(Buffer.alloc(largest)))[0])).to.have.length(largest);
    const prefix = framed(Buffer.alloc(largest + 1)).subarray(0, 5);
    expect(() => new StreamDecoder(largest).write(prefix)).to.throw('4194305');
  });
});

describe('Decoding chunks', () => {
  const bytes = Buffer.from(Array.from({ length: 100 * KiB }, (_, i) => i % 251));

  it('gives the pieces of a large chunk as they came', () => {
    const message = encoded({ $case: 'chunk', value: bytes });
    const got = decoded(message, 16 * KiB);
    expect(got).to.have.length(7);
    expect(Buffer.concat(chunks(got)).equals(bytes)).to.equal(true);
    message.fill(0);
    expect(Buffer.concat(chunks(got)).equals(Buffer.alloc(bytes.length)), 'not copied').to.equal(true);
  });

  it('gives the same bytes wherever the message is cut', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 * KiB }),
        fc.integer({ min: 1, max: 20 * KiB }),
        (length, pieceBytes) => {
          const value = bytes.subarray(0, length);
          const got = decoded(encoded({ $case: 'chunk', value }), pieceBytes);
          expect(Buffer.concat(chunks(got)).equals(value)).to.equal(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('gives the same bytes when the message is cut within its first bytes', () => {
    const message = encoded({ $case: 'chunk', value: bytes });
    for (let cut = 1; cut < 12; cut++) {
      const got = [decode(new MessagePieces([message.subarray(0, cut), message.subarray(cut)]))].flat();
      expect(Buffer.concat(chunks(got as PutObjectRequest[])).equals(bytes)).to.equal(true);
    }
  });

  it('joins pieces that are tiny', () => {
    expect(decoded(encoded({ $case: 'chunk', value: bytes }), 100)).to.have.length(1);
  });

  it('leaves to the generated decoder what is more than a chunk', () => {
    const chunk = encoded({ $case: 'chunk', value: bytes });
    const finish = encoded({ $case: 'finish', value: { length: 5n } });
    const unknown = Buffer.from([0x7a, 2, 1, 2]);
    for (const message of [
      Buffer.concat([chunk, finish]),
      Buffer.concat([chunk, chunk]),
      Buffer.concat([finish, chunk]),
      Buffer.concat([unknown, chunk]),
      Buffer.concat([chunk, unknown]),
    ]) {
      expect(decoded(message, 16 * KiB)).to.deep.equal([PutObjectRequest.decode(message)]);
    }
  });

  it('throws for a chunk that is shorter than it says', () => {
    const message = encoded({ $case: 'chunk', value: bytes });
    expect(() => decoded(message.subarray(0, -1), 16 * KiB)).to.throw();
  });

  it("keeps the name that plakar's first message has", () => {
    const decodePut = decodeChunked(PutRequest, 3, (chunk) => ({ mac: new Uint8Array(), type: 0, chunk }));
    const message = { mac: Buffer.alloc(32, 7), type: StorageResource.STORAGE_RESOURCE_PACKFILE, chunk: bytes };
    const wire = Buffer.from(PutRequest.encode(message).finish());
    const got = decodePut(new MessagePieces([wire.subarray(0, 50_000), wire.subarray(50_000)]));
    expect(got).to.deep.equal(PutRequest.decode(wire));
  });
});
