import { once } from 'node:events';
import { Agent, request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorCodes, StoreError } from '../../src/core/errors.js';
import { MacBatch } from '../../src/core/mac-batch.js';
import { parseMac, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import { wireStatus } from '../../src/core/status.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../src/core/store.js';
import { prefixOf, type ClientOptions } from './client-options.js';

/** An answer, as any version of HTTP has it. */
export interface HttpAnswer extends AsyncIterable<unknown> {
  readonly statusCode?: number | undefined;
  readonly headers: IncomingHttpHeaders;
  destroy(): unknown;
}

/** A client of the HTTP 1.1 API, as a Store: what the conformance suite asks of a store it asks of the wire, too. */
export class HttpStore implements Store {
  private readonly agent: Agent;

  constructor(
    protected readonly port: number,
    protected readonly options: ClientOptions = {},
  ) {
    const { tls } = options;
    const own = { keepAlive: true, servername: 'localhost', ...tls };
    this.agent = tls === undefined ? new Agent({ keepAlive: true }) : new TlsAgent(own);
  }

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
    const answer = await this.ask('HEAD', pathOf(ref));
    await collect(answer);
    const { headers } = answer;
    return { size: Number(headers['content-length']), modifiedMs: Date.parse(headers['last-modified'] ?? '') };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    const headers = range && { range: `bytes=${range.offset}-${range.offset + range.length}` };
    const answer = await this.ask('GET', pathOf(ref), headers);
    const length = Number(answer.headers['content-length']);
    const data = answer as AsyncIterable<Uint8Array>;
    return { objectSize: NaN, length, data, release: () => answer.destroy() };
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    // Read, so that the connection can be used again.
    await collect(await this.ask('PUT', pathOf(ref), {}, body));
    // The API doesn't tell whether it is new.
    return { created: true };
  }

  async delete(ref: ObjectRef): Promise<void> {
    await collect(await this.ask('DELETE', pathOf(ref)));
  }

  async close(): Promise<void> {
    this.agent.destroy();
  }

  /** Sends a request. Resolves to the answer's start. */
  protected async open(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: AsyncIterable<Uint8Array> | undefined,
  ): Promise<HttpAnswer> {
    const make = this.options.tls === undefined ? request : tlsRequest;
    const req = make({ agent: this.agent, host: '127.0.0.1', port: this.port, method, path, headers });
    const answered = (once(req, 'response') as Promise<[IncomingMessage]>).then(([answer]) => answer);
    // An answer can come before all is sent: then the rest doesn't matter.
    return Promise.race([answered, send(req, body, answered)]);
  }

  /** Asks as plakar's client does: JSON by its content type, chunked when there is a body. */
  private async ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: AsyncIterable<Uint8Array>,
  ): Promise<HttpAnswer> {
    const { authorization } = this.options;
    const all = {
      'content-type': 'application/json',
      ...(authorization !== undefined && { authorization }),
      ...headers,
    };
    const answer = await this.open(method, prefixOf(this.options) + path, all, body);
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

async function checkStatus(answer: HttpAnswer): Promise<void> {
  const { statusCode: status, headers } = answer;
  if ((status === 401) !== (headers['www-authenticate'] !== undefined)) {
    throw new Error(`status ${status} with WWW-Authenticate: ${headers['www-authenticate']}`);
  }
  if (status === 200) return;
  const text = (await collect(answer)).toString().trimEnd();
  const code = errorCodes.find((each) => wireStatus[each].http === status);
  throw code === undefined ? new Error(`status ${status}: ${text}`) : new StoreError(code, text);
}

async function collect(answer: HttpAnswer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function pathOf({ kind, mac }: ObjectRef): string {
  return `/resources/${kind}s/${mac}`;
}
