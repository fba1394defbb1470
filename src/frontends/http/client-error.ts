import type { Duplex } from 'node:stream';
import { lingerMs, type RawResponse } from './raw.js';

/** What Node's parser and timers report, as status and text; everything else is a malformed request. */
const answers: Readonly<Record<string, readonly [status: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Content Too Large', 'the chunk extensions are too large'],
  HPE_INVALID_EOF_STATE: ['400 Bad Request', 'the connection ended within the body'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the headers took too long'],
  CONNECT: ['400 Bad Request', 'this is no proxy: CONNECT is not supported'],
};

const malformed = ['400 Bad Request', 'malformed request: this is not valid HTTP/1.1'] as const;

/**
 * Answers a connection on which something came that is no request, and closes it. Where a response is on its way, or requests before it
 * wait for theirs, an answer would be taken for theirs: then the connection is just closed.
 *
 * @param waiting the responses under way on the connection
 */
export function answerClientError(
  error: { readonly code?: string | undefined },
  socket: Duplex,
  waiting: readonly RawResponse[],
): void {
  // Node reports each further piece of what can't be parsed.
  if (socket.writableEnded) return;
  const isBehindOthers = waiting.some(({ headersSent, req }) => headersSent || req.complete);
  if (error.code === 'ECONNRESET' || !socket.writable || isBehindOthers) return void socket.destroy();
  const [status, message] = answers[error.code ?? ''] ?? malformed;
  const text = `${message}\n`;
  const fields = ['Connection: close', 'Content-Type: text/plain; charset=utf-8', `Content-Length: ${text.length}`];
  socket.end([`HTTP/1.1 ${status}`, `Date: ${new Date().toUTCString()}`, ...fields, '', text].join('\r\n'));
  // Closing at once would reset the connection, and the client might never read the answer.
  const linger = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(linger));
}
