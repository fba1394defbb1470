import type { Peer } from './caller.js';

const peerKey = Symbol('peer');

/**
 * Records the other end of a connection. It is a property of the socket, not an entry of a WeakMap, because HTTP/2 gives its handlers
 * a proxy of the socket, which forwards property reads.
 */
export function setPeer(socket: object, peer: Peer): void {
  Object.defineProperty(socket, peerKey, { value: peer });
}

/**
 * The other end of a connection that a listener accepted: of its socket, or of HTTP/2's proxy of it while the connection is open. Throws
 * for any other object, so that no request is attributed to the wrong caller.
 */
export function peerOf(socket: object): Peer {
  const peer = (socket as { readonly [peerKey]?: Peer })[peerKey];
  if (peer === undefined) throw new Error('no peer was recorded for this connection');
  return peer;
}
