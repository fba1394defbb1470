import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { StreamDecoder, type Decode } from './unframing.js';

/* grpc-js has no way to what is here, so this reaches into its calls (grpc-js 1.14.7), and throws should their inside change. */

/** The HTTP/2 stream of a call. */
export function streamOf(call: object): ServerHttp2Stream {
  const stream = field(innermost(call), 'stream');
  if (typeof stream !== 'object' || stream === null) throw new Error('a gRPC call without its HTTP/2 stream');
  return stream as ServerHttp2Stream;
}

/**
 * The HTTP/2 connection that a call came on: an object that is the same for all of its calls and for no other's, and is gone
 * when the connection is.
 *
 * grpc-js tells handlers no more than the peer's address. That is no identity: on a unix socket all callers have the same one,
 * and a TCP port is used again by the next caller. Where there is none, this throws, and no caller gets what another one asked for.
 */
export function connectionOf(call: object): ServerHttp2Session {
  const session = field(streamOf(call), 'session');
  if (typeof session !== 'object' || session === null) throw new Error('a gRPC call without its HTTP/2 session');
  return session as ServerHttp2Session;
}

/** Whether nobody waits for a call any more: grpc-js may begin with one whose client has reset it, or left, right behind its message. */
export function isOver(call: object): boolean {
  const { destroyed, session } = streamOf(call);
  return destroyed || session === undefined || session.destroyed;
}

/**
 * Has the messages of a call decoded in another way. Before the first of them is asked for.
 *
 * @param maxBytes how large they may be, compressed or not; a larger one ends the call with RESOURCE_EXHAUSTED
 */
export function decodeWith(call: object, decode: Decode<unknown>, maxBytes: number): void {
  const inner = innermost(call);
  const [decoder, handler] = [field(inner, 'decoder'), field(inner, 'handler')];
  if (
    typeof field(decoder, 'write') !== 'function' ||
    typeof field(handler, 'deserialize') !== 'function' ||
    typeof field(inner, 'maxReceiveMessageSize') !== 'number'
  ) {
    throw new Error('a gRPC call without its decoder');
  }
  Object.assign(inner as object, {
    decoder: new StreamDecoder(maxBytes),
    handler: { ...(handler as object), deserialize: decode },
    maxReceiveMessageSize: maxBytes,
  });
}

/** Interceptors, where there are some, are around the call that has the stream. */
function innermost(call: object): unknown {
  let inner: unknown = field(call, 'call');
  for (let next = inner; next !== undefined; next = field(inner, 'nextCall')) inner = next;
  return inner;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
