import { once } from 'node:events';
import { request, type Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { S3Request } from './s3-request.js';

interface Ends {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly agent: Agent;
  /** The server's. */
  readonly port: number;
}

/** A request on its way through a FaultProxy, and its answer. Its methods fail where the client or the server is gone. */
export class Exchange {
  /** Resolves when the connection to the client is closed. */
  readonly clientGone: Promise<void>;

  constructor(
    readonly request: S3Request,
    private readonly ends: Ends,
  ) {
    this.clientGone = once(ends.response, 'close').then(() => undefined);
  }

  /** Sends the request to the server, and its answer to the client. */
  async forward(): Promise<void> {
    await this.pass(await this.send());
  }

  /** Sends the request to the server. Resolves to the answer, whose body has not been read. */
  async send(): Promise<IncomingMessage> {
    const outgoing = this.open();
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    answered.catch(() => undefined);
    // A server may answer before it has read everything, and close.
    await Promise.race([pipeline(this.ends.incoming, outgoing), answered]);
    const [answer] = await answered;
    return answer;
  }

  /** Sends the first bytes of the request's body to the server, then nothing until the client is gone, and cuts it off. */
  async sendOnly(bytes: number): Promise<void> {
    const outgoing = this.open();
    outgoing.on('error', () => undefined);
    let left = bytes;
    for await (const chunk of this.ends.incoming as AsyncIterable<Buffer>) {
      if (left > 0) outgoing.write(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
      if (left === 0) break;
    }
    await this.clientGone;
    outgoing.destroy();
  }

  /** Sends an answer to the client, all of its body or the first bytes of it; after those the connection is cut. */
  async pass(answer: IncomingMessage, bytes = Infinity): Promise<void> {
    if (bytes === Infinity) {
      this.passHead(answer);
      return pipeline(answer, this.ends.response);
    }
    await this.passOnly(answer, bytes);
    this.cut();
  }

  /** Sends an answer's head and the first bytes of its body to the client. */
  async passOnly(answer: IncomingMessage, bytes: number): Promise<void> {
    const { response } = this.ends;
    this.passHead(answer);
    let left = bytes;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      await new Promise((resolve) => response.write(chunk.subarray(0, left), resolve));
      left -= Math.min(left, chunk.length);
      if (left === 0) break;
    }
  }

  /** Sends an answer to the client, with its body changed. */
  async passChanged(answer: IncomingMessage, change: (body: string) => string): Promise<void> {
    const { response } = this.ends;
    const body = change(await text(answer));
    response.writeHead(answer.statusCode ?? 500, { 'content-type': 'application/xml' });
    response.end(body);
  }

  /** Answers the client with an error as S3 has it. */
  async refuse(status: number, code: string): Promise<void> {
    const { incoming, response } = this.ends;
    if (!incoming.readableEnded) {
      incoming.resume();
      await once(incoming, 'end');
    }
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>Spoiled.</Message></Error>`;
    response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length });
    response.end(this.request.operation === 'HeadObject' ? undefined : body);
  }

  /** Closes the connection to the client. */
  cut(): void {
    this.ends.response.destroy();
  }

  private passHead(answer: IncomingMessage): void {
    this.ends.response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
  }

  private open(): ClientRequest {
    const { incoming, agent, port } = this.ends;
    const outgoing = request({
      host: '127.0.0.1',
      port,
      agent,
      method: incoming.method,
      path: incoming.url,
      // As they are written, `Host` among them.
      headers: incoming.rawHeaders,
      setHost: false,
    });
    void this.clientGone.then(() => outgoing.destroy());
    return outgoing;
  }
}
