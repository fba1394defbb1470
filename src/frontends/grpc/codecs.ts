import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { RangeAnswer, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';

/* Serializers for messages with a chunk of an object, which copy the chunk once; the generated ones copy it three times. */

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
): (message: Message) => Buffer {
  return (message) => Buffer.concat([startOf(generated, field, message), message.chunk]);
}

const serializeSingle = chunkSerializer(ReadRangesResponse, rangeChunkField);

/** A message with `answers` has no other field. */
export function serializeReadRangesResponse(message: ReadRangesResponse): Buffer {
  if (message.answers.length === 0) return serializeSingle(message);
  const pieces = message.answers.flatMap((answer) => {
    const start = startOf(RangeAnswer, rangeChunkField, answer);
    const tag = (answersField << 3) | lengthDelimited;
    const head = new BinaryWriter().uint32(tag).uint32(start.length + answer.chunk.length);
    return [head.finish(), start, answer.chunk];
  });
  return Buffer.concat(pieces);
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
