import { BinaryReader } from '@bufbuild/protobuf/wire';
import { Gatherer } from '../gatherer.js';
import { lengthDelimited, prefixBytes } from './framing.js';

/** Pieces that are smaller than this on average are dearer than copying them, in bytes. */
const worthKeepingBytes = 2048;

/** Messages from this size on are gathered into larger pieces, in bytes. */
const worthGatheringBytes = 64 * 1024;

const nothing = new Uint8Array();

/** A message as it came, in the pieces that the connection brought, or in larger ones. grpc-js takes it for the buffer that it would have made of them. */
export class MessagePieces {
  constructor(readonly pieces: readonly Uint8Array[]) {}

  /** Whether it is compressed: what is, isn't kept in pieces. */
  readUInt8(): number {
    return 0;
  }

  /** What grpc-js takes for the message without its prefix. */
  subarray(): this {
    return this;
  }
}

/** Finds the messages in a stream's bytes, in place of grpc-js's own decoder: that one copies them all, into memory that is new each time. */
export class StreamDecoder {
  private prefix: Buffer | undefined;
  private pieces: Uint8Array[] = [];
  /** Where the message that comes is a large one. */
  private gatherer: Gatherer | undefined;
  private missing = prefixBytes;

  /** @param maxBytes of a message */
  constructor(private readonly maxBytes: number) {}

  /** The messages that are complete with these bytes. Throws for one that is too large. */
  write(data: Buffer): (MessagePieces | Buffer)[] {
    const complete: (MessagePieces | Buffer)[] = [];
    for (let at = 0; at < data.length;) {
      const piece = data.subarray(at, at + this.missing);
      at += piece.length;
      this.missing -= piece.length;
      if (this.gatherer === undefined) this.pieces.push(piece);
      else this.gatherer.add(piece, this.pieces, this.missing);
      if (this.missing === 0 && this.prefix === undefined) this.begin(Buffer.concat(this.pieces));
      if (this.missing === 0 && this.prefix !== undefined) complete.push(this.end(this.prefix));
    }
    return complete;
  }

  private begin(prefix: Buffer): void {
    const length = prefix.readUInt32BE(1);
    if (length > this.maxBytes) throw new Error(`a message of ${length} bytes, and at most ${this.maxBytes} are taken`);
    this.prefix = prefix;
    this.pieces = [];
    this.missing = length;
    if (length >= worthGatheringBytes) this.gatherer = new Gatherer();
  }

  private end(prefix: Buffer): MessagePieces | Buffer {
    const { pieces } = this;
    this.gatherer?.flush(pieces);
    this.gatherer = undefined;
    this.prefix = undefined;
    this.pieces = [];
    this.missing = prefixBytes;
    return prefix[0] === 0 ? new MessagePieces(pieces) : Buffer.concat([prefix, ...pieces]);
  }
}

/** A message; or several, each with a part of its chunk, which mean the same. */
export type Decode<Message> = (bytes: Uint8Array | MessagePieces) => Message | readonly Message[];

/** Leaves a message as it came, in one piece. */
export function whole(bytes: Uint8Array | MessagePieces): Uint8Array {
  if (!(bytes instanceof MessagePieces)) return bytes;
  const [first = nothing, ...rest] = bytes.pieces;
  return rest.length === 0 ? first : Buffer.concat(bytes.pieces);
}

/** What the generated code has for each message. */
interface Generated<Message> {
  decode(bytes: Uint8Array): Message;
}

/**
 * For messages that mostly are a chunk and nothing else.
 *
 * @param field the chunk's number
 * @param withChunk makes such a message
 */
export function decodeChunked<Message>(
  generated: Generated<Message>,
  field: number,
  withChunk: (chunk: Uint8Array) => Message,
): Decode<Message> {
  const tag = (field << 3) | lengthDelimited;
  return (bytes) => {
    if (!(bytes instanceof MessagePieces)) return generated.decode(bytes);
    const { pieces } = bytes;
    const [first, ...rest] = pieces;
    if (first === undefined || rest.length === 0) return generated.decode(first ?? nothing);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const start = length < pieces.length * worthKeepingBytes ? undefined : chunkStart(first, tag, length);
    if (start === undefined) return generated.decode(Buffer.concat(pieces));
    return [first.subarray(start), ...rest].map(withChunk);
  };
}

/** Where the chunk begins in a message that has nothing else; undefined where that isn't so, or can't be seen in its first piece. */
function chunkStart(first: Uint8Array, tag: number, messageBytes: number): number | undefined {
  const longestStart = 10;
  if (first.length < longestStart || first[0] !== tag) return undefined;
  const reader = new BinaryReader(first);
  reader.uint32();
  const chunkBytes = reader.uint32();
  return reader.pos + chunkBytes === messageBytes ? reader.pos : undefined;
}
