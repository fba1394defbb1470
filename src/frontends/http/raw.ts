import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';

/* Node's requests and responses of either version of HTTP, and where they differ. */

export type RawRequest = IncomingMessage | Http2ServerRequest;
export type RawResponse = ServerResponse | Http2ServerResponse;

export function isHttp2(request: RawRequest): request is Http2ServerRequest {
  return request.httpVersionMajor === 2;
}

/** Whether a response that is closed reached the client's side as a whole, as far as this side can tell. */
export function isDelivered(request: RawRequest, response: RawResponse): boolean {
  return isHttp2(request) ? !request.stream.aborted && request.stream.writableFinished : response.writableFinished;
}

/** Ends a response that can't be completed such that the client can't take it for a whole one. */
export function breakOff(request: RawRequest): void {
  if (!isHttp2(request)) return void request.socket.destroy();
  // With the default code the client would see a clean end.
  request.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  // Closing waits for the peer, which never answers on a broken connection.
  request.stream.destroy();
}
