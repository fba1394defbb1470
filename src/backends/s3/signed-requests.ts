import type { S3Client } from '@aws-sdk/client-s3';
import type { HttpRequest } from '@smithy/types';
import type { Readable } from 'node:stream';
import { chunksOf } from './chunks.js';
import type { Retries } from './retries.js';

/** The part of an answer that counts: its headers, in lower case, and its body. */
export interface Answer {
  /** 200, 206, 404 or 416. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Readable;
}

/** What is asked of the bucket, or of an object in it. */
export interface Question {
  /** Default: the bucket itself is asked. */
  readonly key?: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

interface Asking {
  /** How long the answer may take, in milliseconds. */
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The statuses of the answers that say all; the others are left to the SDK. */
const finalStatuses: readonly number[] = [200, 206, 404, 416];

/** Those that ask for fewer requests. */
const busyStatuses: readonly number[] = [429, 503];

/** How much of an answer with an error is read, in bytes. */
const maxErrorBytes = 64 * 1024;

type Endpoint = Pick<HttpRequest, 'protocol' | 'hostname' | 'port' | 'path'>;

/**
 * Sends GET requests through a client's own signer and connections, without the rest of the SDK, which takes a multiple of the CPU time:
 * 1.7 ms instead of 0.45 for a small range, 29 ms instead of 2 for a page of a list (measured with 3.1175.0).
 *
 * Only for what goes well, and what isn't there: whatever else happens is left to the SDK's commands, with their errors, repeats and redirects.
 */
export class SignedRequests {
  private endpoint: Endpoint | undefined;

  constructor(
    private readonly client: S3Client,
    private readonly retries: Retries,
  ) {
    // Learns from the first command for an object where the bucket is, which depends on the SDK's rules and much configuration.
    client.middlewareStack.add(
      (next) => (args) => {
        const key: unknown = 'Key' in args.input ? args.input.Key : undefined;
        if (this.endpoint === undefined && typeof key === 'string') this.learn(args.request as HttpRequest, key);
        return next(args);
      },
      { step: 'build', name: 'klosetGatewayEndpoint' },
    );
  }

  /**
   * Resolves to undefined if the SDK's command has to be sent: for another answer than those of Answer or none, or before the first command.
   * The answer's body has to be read or destroyed.
   */
  async get(
    { key = '', query = {}, headers = {} }: Question,
    { silenceMs, signal }: Asking,
  ): Promise<Answer | undefined> {
    if (this.endpoint === undefined || this.retries.isStopped) return undefined;
    const { protocol, hostname, port, path } = this.endpoint;
    const host = port === undefined ? hostname : `${hostname}:${port}`;
    const request = {
      method: 'GET',
      protocol,
      hostname,
      ...(port !== undefined && { port }),
      path: `${path}${escapedKey(key)}`,
      query,
      headers: { ...headers, host },
    };
    try {
      const signer = await this.client.config.signer();
      const signed = await signer.sign(request);
      const options = { requestTimeout: silenceMs, ...(signal && { abortSignal: signal }) };
      const { response } = await this.client.config.requestHandler.handle(signed as never, options);
      const body = response.body as Readable;
      const { statusCode: status } = response;
      if (finalStatuses.includes(status)) return { status, headers: response.headers, body };
      // A connection with an unread answer could not be used again.
      body.on('error', () => undefined).resume();
      if (busyStatuses.includes(status)) await this.retries.waitAsBusy(signal);
      return undefined;
    } catch {
      return undefined;
    }
  }

  private learn({ protocol, hostname, port, path }: HttpRequest, key: string): void {
    const escaped = escapedKey(key);
    if (!path.endsWith(`/${escaped}`)) return;
    this.endpoint = { protocol, hostname, ...(port !== undefined && { port }), path: path.slice(0, -escaped.length) };
  }
}

/** What an answer with an error says, as far as it does: Amazon S3 API Reference, "Error responses". */
export interface Refusal {
  readonly code?: string | undefined;
  /** The object's size in bytes, of a range past its end. */
  readonly objectSize?: number | undefined;
}

/** Reads an answer with an error. */
export async function refusalIn({ headers, body }: Answer, silenceMs: number): Promise<Refusal> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of chunksOf(body, silenceMs)) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxErrorBytes) return {};
    }
  } catch {
    return {};
  }
  const text = Buffer.concat(chunks).toString();
  const size =
    /^bytes \*\/(\d+)$/.exec(headers['content-range'] ?? '') ??
    /<ActualObjectSize>(\d+)<\/ActualObjectSize>/.exec(text);
  return { code: /<Code>(\w+)<\/Code>/.exec(text)?.[1], objectSize: size === null ? undefined : Number(size[1]) };
}

/** A key in a path, as the SDK escapes it: all but unreserved characters (RFC 3986) and slashes. */
function escapedKey(key: string): string {
  const escaped = encodeURIComponent(key).replaceAll('%2F', '/');
  return escaped.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
