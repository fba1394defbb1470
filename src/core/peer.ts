import type { Peer } from './caller.js';

const peerKey = Symbol('peer');

/**
 * Notes on a connection who its other end is. It is a property, and not kept in a map beside the sockets, since HTTP/2 shows
 * its handlers a proxy of the socket, which passes on the reading of properties.
 */
export function setPeer(socket: object, peer: Peer): void {
  Object.defineProperty(socket, peerKey, { value: peer });
}

/**
 * The other end of a connection that came through a listener: of its socket, or of what HTTP/2 shows in its place while the
 * connection is there. Throws for any other object, so that nobody is taken for someone by mistake.
 */
export function peerOf(socket: object): Peer {
  const peer = (socket as { readonly [peerKey]?: Peer })[peerKey];
  if (peer === undefined) throw new Error('a connection whose other end nobody noted');
  return peer;
}
