import { BinaryWriter } from '@bufbuild/protobuf/wire';

/**
 * The pieces of messages that go out together, as they are on the wire, in their order. Large bytes of the messages are among them as they
 * are, not copied.
 */
export type Encode<Message> = (messages: readonly Message[]) => Uint8Array[];

/** What the generated code has for each message. */
interface Generated<Message> {
  encode(message: Message, writer: BinaryWriter): BinaryWriter;
}

/** What gRPC has before each message: whether it is compressed, in a byte, and its length, in four. */
export const prefixBytes = 5;

/** Of a message that isn't compressed, without its length. */
const prefix = new Uint8Array(prefixBytes);

/** Protobuf's wire type of bytes: their length comes before them. */
export const lengthDelimited = 2;

const nothing = new Uint8Array();

/** How large messages get that parts share, in bytes: well below the 4 MiB that clients take. */
const sharedBytes = 256 * 1024;

/** For messages without large bytes. */
export function encodeWhole<Message>(generated: Generated<Message>): Encode<Message> {
  const writer = new BinaryWriter();
  return (messages) => messages.map((message) => framed(generated.encode(message, begun(writer)).finish(), 0));
}

/**
 * For messages with a chunk. It goes out last, as protobuf allows, so that what is before it is one piece.
 *
 * @param field the chunk's number
 */
export function encodeChunked<Message extends { chunk: Uint8Array }>(
  generated: Generated<Message>,
  field: number,
): Encode<Message> {
  const writer = new BinaryWriter();
  return (messages) => {
    const pieces: Uint8Array[] = [];
    for (const message of messages) {
      const start = startOf(generated, field, message, begun(writer));
      pushWithChunk(pieces, framed(start, message.chunk.length), message.chunk);
    }
    return pieces;
  };
}

/**
 * For answers that are a message each, or parts of messages that they share with others, with the same fields.
 *
 * @param chunkField the number of an answer's chunk
 * @param field the number that answers have in a message that they share
 */
export function encodeAnswers<Answer extends { chunk: Uint8Array; shares: boolean }>(
  generated: Generated<Answer>,
  chunkField: number,
  field: number,
): Encode<Answer> {
  const writer = new BinaryWriter();
  const headWriter = new BinaryWriter();
  return (answers) => {
    const alone: Uint8Array[] = [];
    const shared: Uint8Array[] = [];
    let last: { readonly prefix: Uint8Array; bytes: number } | undefined;
    for (const answer of answers) {
      const { chunk, shares } = answer;
      if (!shares) {
        pushWithChunk(alone, framed(startOf(generated, chunkField, answer, begun(writer)), chunk.length), chunk);
        continue;
      }
      writer.finish();
      const start = startOf(generated, chunkField, answer, writer);
      headWriter.uint32((field << 3) | lengthDelimited).uint32(start.length + chunk.length);
      const head = headWriter.raw(start).finish();
      if (last === undefined || last.bytes + head.length + chunk.length > sharedBytes) {
        last = { prefix: prefix.slice(), bytes: 0 };
        shared.push(last.prefix);
      }
      framed(last.prefix, (last.bytes += head.length + chunk.length));
      pushWithChunk(shared, head, chunk);
    }
    return [...alone, ...shared];
  };
}

/** A message to where its chunk begins. */
function startOf<Message extends { chunk: Uint8Array }>(
  generated: Generated<Message>,
  field: number,
  message: Message,
  writer: BinaryWriter,
): Uint8Array {
  const { length } = message.chunk;
  const start = generated.encode({ ...message, chunk: nothing }, writer);
  if (length > 0) start.uint32((field << 3) | lengthDelimited).uint32(length);
  return start.finish();
}

function pushWithChunk(pieces: Uint8Array[], start: Uint8Array, chunk: Uint8Array): void {
  pieces.push(start);
  if (chunk.length > 0) pieces.push(chunk);
}

/** Begins with a writer that is used again, since a new one costs more than what it writes. */
function begun(writer: BinaryWriter): BinaryWriter {
  // A message that can't be encoded leaves its beginning behind.
  writer.finish();
  return writer.raw(prefix);
}

/**
 * Fills in the length of a message.
 *
 * @param bytes its beginning, from its prefix on
 * @param following how many bytes of the message come behind those
 */
function framed(bytes: Uint8Array, following: number): Uint8Array {
  const length = bytes.length - prefixBytes + following;
  for (let at = 1; at < prefixBytes; at++) bytes[at] = length >>> (8 * (prefixBytes - 1 - at));
  return bytes;
}
