import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { RangeAnswer, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';

/* Serializers for messages with chunks of objects. They copy a chunk once, where the generated ones copy it three times. */

/** Memory for the serialized messages of a call, one at a time. */
export class Scratch {
  private buffer = Buffer.alloc(0);

  /** Joins pieces. The result is valid until the next call. */
  concat(pieces: readonly Uint8Array[]): Buffer {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.buffer.length < length) this.buffer = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const piece of pieces) {
      this.buffer.set(piece, at);
      at += piece.length;
    }
    return this.buffer.subarray(0, length);
  }
}

/** A message with the memory to serialize it in; without it, new memory is allocated. */
type InScratch<Message> = Message & { readonly scratch?: Scratch };

/** The part of the generated code that is used here, for a type of message. */
interface Generated<Message> {
  encode(message: Message): BinaryWriter;
}

/** Protobuf's wire type of fields that start with their length. */
const lengthDelimited = 2;

/** The number of the field `chunk` in a RangeAnswer and in a ReadRangesResponse. */
const rangeChunkField = 2;

/** The number of the field `answers` in a ReadRangesResponse. */
const answersField = 5;

const empty = new Uint8Array();

/**
 * A serializer for messages with a chunk, which becomes the last field of the message.
 *
 * @param field the number of the field `chunk`
 */
export function chunkSerializer<Message extends { chunk: Uint8Array }>(
  generated: Generated<Message>,
  field: number,
): (message: InScratch<Message>) => Buffer {
  return (message) => concat(message.scratch, [startOf(generated, field, message), message.chunk]);
}

const serializeSingle = chunkSerializer(ReadRangesResponse, rangeChunkField);

/** A message with `answers` has no other field. */
export function serializeReadRangesResponse(message: InScratch<ReadRangesResponse>): Buffer {
  if (message.answers.length === 0) return serializeSingle(message);
  const pieces = message.answers.flatMap((answer) => {
    const start = startOf(RangeAnswer, rangeChunkField, answer);
    const tag = (answersField << 3) | lengthDelimited;
    const head = new BinaryWriter().uint32(tag).uint32(start.length + answer.chunk.length);
    return [head.finish(), start, answer.chunk];
  });
  return concat(message.scratch, pieces);
}

function concat(scratch: Scratch | undefined, pieces: readonly Uint8Array[]): Buffer {
  return scratch?.concat(pieces) ?? Buffer.concat(pieces);
}

/** The bytes of a message up to its chunk. */
function startOf<Message extends { chunk: Uint8Array }>(
  generated: Generated<Message>,
  field: number,
  message: Message,
): Uint8Array {
  const writer = generated.encode({ ...message, chunk: empty });
  const { length } = message.chunk;
  if (length > 0) writer.uint32((field << 3) | lengthDelimited).uint32(length);
  return writer.finish();
}
