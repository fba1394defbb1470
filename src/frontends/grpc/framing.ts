import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** The pieces of a message on the wire, in their order. Large bytes of the message are among them as they are, not copied. */
export type Encode<Message> = (message: Message) => readonly Uint8Array[];

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

/** For messages without large bytes. */
export function encodeWhole<Message>(generated: Generated<Message>): Encode<Message> {
  const writer = new BinaryWriter();
  return (message) => [framed(generated.encode(message, begun(writer)), 0)];
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
  const tag = (field << 3) | lengthDelimited;
  const writer = new BinaryWriter();
  return (message) => {
    const { chunk } = message;
    const start = generated.encode({ ...message, chunk: nothing }, begun(writer));
    if (chunk.length === 0) return [framed(start, 0)];
    return [framed(start.uint32(tag).uint32(chunk.length), chunk.length), chunk];
  };
}

/** Begins with a writer that is used again, since a new one costs more than what it writes. */
function begun(writer: BinaryWriter): BinaryWriter {
  // A message that can't be encoded leaves its beginning behind.
  writer.finish();
  return writer.raw(prefix);
}

/** @param following how many bytes of the message come behind those that were written */
function framed(start: BinaryWriter, following: number): Uint8Array {
  const bytes = start.finish();
  new DataView(bytes.buffer).setUint32(1, bytes.length - prefixBytes + following);
  return bytes;
}
