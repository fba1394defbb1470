import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { Settings } from '../../src/config/config.js';
import { startTestGateway } from '../support/gateway.js';
import { Aftermath, caseOf, differences, type Difference } from './differences.js';
import { shown, type Answer, type Asked, type Exchange } from './recordings.js';

/** Bodies are sent in pieces of this size, as plakar's client does. */
const pieceBytes = 32 * 1024;

/** What became of one recorded request. */
export interface Outcome {
  readonly request: string;
  /** The rows of the table that say something about it. One at most, unless the table is wrong. */
  readonly rows: readonly Difference[];
  readonly recorded: Answer;
  readonly expected: Answer;
  readonly got: Answer;
}

/**
 * Sends recorded requests, in order, to a gateway on a store.
 *
 * @param aftermath of what was replayed to this store before
 */
export async function replay(
  folder: string,
  settings: Settings,
  exchanges: readonly Exchange[],
  aftermath = new Aftermath(),
): Promise<Outcome[]> {
  const gateway = await startTestGateway(folder, settings);
  const agent = new Agent({ keepAlive: true });
  try {
    const outcomes: Outcome[] = [];
    for (const exchange of exchanges) {
      const parts = caseOf(exchange);
      const { recorded } = exchange;
      const rows = differences.filter((row) => row.applies(parts, aftermath));
      const expected = rows[0]?.answer(parts, aftermath) ?? recorded;
      const got = await send(agent, gateway.httpPort, exchange.asked);
      const contentLength = expected.contentLength === 'free' ? got.contentLength : expected.contentLength;
      outcomes.push({
        request: `${parts.method} ${parts.url}`,
        rows,
        recorded,
        expected: { ...expected, contentLength },
        got,
      });
      aftermath.note(parts, got);
    }
    return outcomes;
  } finally {
    agent.destroy();
    await gateway.close();
  }
}

/** Sends a recorded request, and resolves to what comes back. */
export async function send(agent: Agent, port: number, { method, url, headers, body }: Asked): Promise<Answer> {
  const req = request({ agent, host: '127.0.0.1', port, method, path: url, headers });
  for (let at = 0; at < body.length; at += pieceBytes) req.write(body.subarray(at, at + pieceBytes));
  req.end();
  const [response] = (await once(req, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  // Fails where the body isn't as long as Content-Length says.
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { 'content-type': contentType, 'content-length': length } = response.headers;
  return {
    status: response.statusCode ?? NaN,
    contentType,
    contentLength: length === undefined ? undefined : Number(length),
    body: shown(Buffer.concat(chunks), contentType),
  };
}
