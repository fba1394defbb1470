import { frameType, type RawHttp2 } from './raw-http2.js';

/** The ways in which a client leaves a request over HTTP/2 that isn't over. */
export const http2Ends: Readonly<Record<string, (connection: RawHttp2, stream: number) => unknown>> = {
  'resets its stream': (connection, stream) => connection.reset(stream),
  'resets its stream, and says that there is no error': (connection, stream) => connection.reset(stream, 0),
  'ends the connection': ({ socket }) => socket.end(),
  'breaks the connection off': ({ socket }) => socket.destroy(),
  'says that it goes, and ends the connection': (connection) => {
    connection.frame(frameType.goAway, 0, 0, Buffer.alloc(8));
    connection.socket.end();
  },
  'sends what is no frame, and ends the connection': (connection) => connection.socket.end(Buffer.alloc(64, 0xff)),
};
