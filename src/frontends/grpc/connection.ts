import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

/**
 * The HTTP/2 stream of a call. grpc-js has no way to it, so this reaches into the call (grpc-js 1.14.7), and throws should its
 * inside change.
 */
export function streamOf(call: object): ServerHttp2Stream {
  let inner: unknown = field(call, 'call');
  // Interceptors, where there are some, are around the call that has the stream.
  for (let next = inner; next !== undefined; next = field(inner, 'nextCall')) inner = next;
  const stream = field(inner, 'stream');
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

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
