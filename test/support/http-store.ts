import { Agent, request, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorCodes, StoreError } from '../../src/core/errors.js';
import { MacBatch } from '../../src/core/mac-batch.js';
import { parseMac, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import { wireStatus } from '../../src/core/status.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../src/core/store.js';

/** A client of the HTTP 1.1 API, as a Store: what the conformance suite asks of a store it asks of the wire, too. */
export class HttpStore implements Store {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly port: number) {}

  info(): StoreInfo {
    throw new Error('the HTTP API has no such request');
  }

  async config(): Promise<Uint8Array> {
    return collect(await this.ask('GET', '/'));
  }

  async *list(kind: ObjectKind): AsyncGenerator<MacBatch> {
    const text = (await collect(await this.ask('GET', `/resources/${kind}s`))).toString();
    yield MacBatch.of((JSON.parse(text) as string[]).map(parseMac));
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    const { headers } = await this.ask('HEAD', pathOf(ref));
    return { size: Number(headers['content-length']), modifiedMs: Date.parse(headers['last-modified'] ?? '') };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    const headers = range && { range: `bytes=${range.offset}-${range.offset + range.length}` };
    const answer = await this.ask('GET', pathOf(ref), headers ? { headers } : {});
    const length = Number(answer.headers['content-length']);
    return { objectSize: NaN, length, data: answer, release: () => answer.destroy() };
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    await this.ask('PUT', pathOf(ref), {}, body);
    // The API doesn't tell whether it is new.
    return { created: true };
  }

  async delete(ref: ObjectRef): Promise<void> {
    await this.ask('DELETE', pathOf(ref));
  }

  async close(): Promise<void> {
    this.agent.destroy();
  }

  /** Asks as plakar's client does: JSON by its content type, chunked when there is a body. */
  private async ask(
    method: string,
    path: string,
    options: RequestOptions = {},
    body?: AsyncIterable<Uint8Array>,
  ): Promise<IncomingMessage> {
    const headers = { 'content-type': 'application/json', ...options.headers };
    const req = request({ agent: this.agent, host: '127.0.0.1', port: this.port, method, path, ...options, headers });
    const answered = (once(req, 'response') as Promise<[IncomingMessage]>).then(([answer]) => answer);
    // An answer can come before all is sent: then the rest doesn't matter.
    const answer = await Promise.race([answered, send(req, body, answered)]);
    await checkStatus(answer);
    return answer;
  }
}

/** Sends a body. Fails when it can't be sent, unless there is an answer nevertheless. */
async function send(
  req: ClientRequest,
  body: AsyncIterable<Uint8Array> | undefined,
  answered: Promise<IncomingMessage>,
): Promise<IncomingMessage> {
  if (body === undefined) {
    req.end();
    return answered;
  }
  try {
    await pipeline(Readable.from(body, { objectMode: false }), req);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
  return answered;
}

async function checkStatus(answer: IncomingMessage): Promise<void> {
  if (answer.statusCode === 200) return;
  const text = (await collect(answer)).toString().trimEnd();
  const code = errorCodes.find((each) => wireStatus[each].http === answer.statusCode);
  throw code === undefined ? new Error(`status ${answer.statusCode}: ${text}`) : new StoreError(code, text);
}

async function collect(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function pathOf({ kind, mac }: ObjectRef): string {
  return `/resources/${kind}s/${mac}`;
}
