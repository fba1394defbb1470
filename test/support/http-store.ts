import { once, setMaxListeners } from 'node:events';
import { Agent, request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { canceled, errorCodes, StoreError } from '../../src/core/errors.js';
import { MacBatch } from '../../src/core/mac-batch.js';
import { parseMac, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import { wireStatus } from '../../src/core/status.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../../src/core/store.js';
import { prefixOf, type ClientOptions } from './client-options.js';

/** An answer, as any version of HTTP has it. */
export interface HttpAnswer extends AsyncIterable<unknown> {
  readonly statusCode?: number | undefined;
  readonly headers: IncomingHttpHeaders;
  destroy(): unknown;
}

/** The context of a caller who stays. */
const endless: OpContext = { signal: new AbortController().signal };
setMaxListeners(0, endless.signal);

/** A request to send. */
export interface HttpRequest extends OpContext {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array> | undefined;
}

/** A client of the HTTP 1.1 API, as a Store: what the conformance suite asks of a store it asks of the wire, too. */
export class HttpStore implements Store {
  private readonly agent: Agent;

  constructor(
    protected readonly port: number,
    protected readonly options: ClientOptions = {},
  ) {
    const { tls, oneRequestEach = false } = options;
    const own = { keepAlive: true, servername: 'localhost', ...tls };
    this.agent = tls === undefined ? new Agent({ keepAlive: !oneRequestEach }) : new TlsAgent(own);
  }

  info(): StoreInfo {
    throw new Error('the HTTP API has no such request');
  }

  async config(ctx = endless): Promise<Uint8Array> {
    return (await this.askAll('GET', '/', ctx)).body;
  }

  async *list(kind: ObjectKind, ctx = endless): AsyncGenerator<MacBatch> {
    const { body } = await this.askAll('GET', `/resources/${kind}s`, ctx);
    yield MacBatch.of((JSON.parse(body.toString()) as string[]).map(parseMac));
  }

  async stat(ref: ObjectRef, ctx = endless): Promise<ObjectStat> {
    const { headers } = await this.askAll('HEAD', pathOf(ref), ctx);
    return { size: Number(headers['content-length']), modifiedMs: Date.parse(headers['last-modified'] ?? '') };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined, ctx = endless): Promise<ObjectRead> {
    const headers = range && { range: `bytes=${range.offset}-${range.offset + range.length}` };
    const answer = await this.ask('GET', pathOf(ref), ctx, headers);
    const length = Number(answer.headers['content-length']);
    return { objectSize: NaN, length, data: chunksOf(answer, ctx), release: () => answer.destroy() };
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx = endless): Promise<PutResult> {
    await this.askAll('PUT', pathOf(ref), ctx, body);
    // The API doesn't tell whether it is new.
    return { created: true };
  }

  async delete(ref: ObjectRef, ctx = endless): Promise<void> {
    await this.askAll('DELETE', pathOf(ref), ctx);
  }

  async close(): Promise<void> {
    this.agent.destroy();
  }

  /** Sends a request. Resolves to the answer's start. */
  protected async open({ method, path, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    const make = this.options.tls === undefined ? request : tlsRequest;
    const req = make({ agent: this.agent, host: '127.0.0.1', port: this.port, method, path, headers, signal });
    const answered = (once(req, 'response') as Promise<[IncomingMessage]>).then(([answer]) => answer);
    // An answer may come before the whole body is sent: the rest doesn't matter then.
    return Promise.race([answered, send(req, body, answered)]);
  }

  /** Asks as plakar's client does: JSON by its content type, chunked when there is a body. */
  private async ask(
    method: string,
    path: string,
    { signal }: OpContext,
    headers: Readonly<Record<string, string>> = {},
    body?: AsyncIterable<Uint8Array>,
  ): Promise<HttpAnswer> {
    const { authorization } = this.options;
    const all = {
      'content-type': 'application/json',
      ...(authorization !== undefined && { authorization }),
      ...headers,
    };
    if (signal.aborted) throw canceled(signal.reason);
    try {
      const answer = await this.open({ method, path: prefixOf(this.options) + path, headers: all, body, signal });
      await checkStatus(answer);
      return answer;
    } catch (error) {
      throw signal.aborted ? canceled(error) : error;
    }
  }

  /** Asks, and reads the whole answer, so that the connection can be used again. */
  private async askAll(
    method: string,
    path: string,
    ctx: OpContext,
    sent?: AsyncIterable<Uint8Array>,
  ): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
    const answer = await this.ask(method, path, ctx, {}, sent);
    return { headers: answer.headers, body: await collect(chunksOf(answer, ctx)) };
  }
}

/** The body of an answer. Fails with `canceled` if the signal has aborted. */
async function* chunksOf(answer: HttpAnswer, { signal }: OpContext): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) yield chunk as Uint8Array;
  } catch (error) {
    throw signal.aborted ? canceled(error) : error;
  }
}

/** Sends a body. Fails if it can't be sent, unless there is an answer anyway. */
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

async function collect(answer: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function pathOf({ kind, mac }: ObjectRef): string {
  return `/resources/${kind}s/${mac}`;
}
