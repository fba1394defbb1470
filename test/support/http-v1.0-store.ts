import { Agent, request } from 'node:http';
import { errorCodes, StoreError, type ErrorCode } from '../../src/core/errors.js';
import { MacBatch } from '../../src/core/mac-batch.js';
import { parseMac, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import { wireStatus } from '../../src/core/status.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../src/core/store.js';
import { prefixOf, type ClientOptions } from './client-options.js';

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/**
 * A client of plakar's HTTP API of generation 1.0, as a Store. The API tells a failure's text and, for most, no code: the texts are
 * what its codes are guessed from here. It has no stat; its ranges are those of packfiles.
 */
export class HttpV10Store implements Store {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly openedMs = Date.now();

  constructor(
    private readonly port: number,
    private readonly options: ClientOptions = {},
  ) {}

  info(): StoreInfo {
    throw new Error('the HTTP API has no such request');
  }

  async config(): Promise<Uint8Array> {
    const { Configuration } = await this.ask('GET', '/', { Repository: '' });
    return Buffer.from(String(Configuration), 'base64');
  }

  async *list(kind: ObjectKind): AsyncGenerator<MacBatch> {
    const answer = await this.ask('GET', `/${kind}s`, {});
    yield MacBatch.of((answer[kind === 'lock' ? 'Locks' : 'MACs'] as string[]).map(parseMac));
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    return { size: (await this.get(ref, undefined)).length, modifiedMs: this.openedMs };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    const blob = ref.kind === 'packfile' && range !== undefined;
    const { Data } = blob
      ? await this.ask('GET', '/packfile/blob', { ...macOf(ref), Offset: range.offset, Length: range.length })
      : await this.ask('GET', `/${ref.kind}`, macOf(ref));
    const bytes = Buffer.from(String(Data), 'base64');
    const data = blob || range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length);
    return { objectSize: NaN, length: data.length, data, release: () => undefined };
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    await this.ask('PUT', `/${ref.kind}`, { ...macOf(ref), Data: Buffer.concat(chunks).toString('base64') });
    return { created: true };
  }

  async delete(ref: ObjectRef): Promise<void> {
    await this.ask('DELETE', `/${ref.kind}`, macOf(ref));
  }

  async close(): Promise<void> {
    this.agent.destroy();
  }

  /** Sends one request and resolves to its answer, whatever that is. */
  send(method: string, path: string, body: string | Buffer): Promise<Answer> {
    const { authorization } = this.options;
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(authorization !== undefined && { authorization }),
      };
      const req = request({ agent: this.agent, host: '127.0.0.1', port: this.port, method, path, headers }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
        );
      });
      req.on('error', reject);
      req.end(body);
    });
  }

  /** Asks as plakar 1.0 does: whatever the status, the answer is a document whose `Err` tells. */
  private async ask(method: string, path: string, fields: object): Promise<Record<string, unknown>> {
    const { status, headers, body } = await this.send(method, prefixOf(this.options) + path, JSON.stringify(fields));
    const answer = JSON.parse(body.toString()) as Record<string, unknown>;
    if ((status === 401) !== (headers['www-authenticate'] !== undefined)) {
      throw new Error(`status ${status} with WWW-Authenticate: ${String(headers['www-authenticate'])}`);
    }
    if (answer['Err'] === '') return answer;
    const text = String(answer['Err']);
    throw new StoreError(codeOf(status, text), text);
  }
}

/** A text of each code, where the conformance suite asks for it. */
const texts: Partial<Record<ErrorCode, RegExp>> = {
  not_found: /^no (packfile|state|lock) [0-9a-f]{64}/,
  too_large: /may have \d+ bytes at most/,
  already_exists: /other bytes|already/,
  no_space: /disk is full|quota|too little room/,
  unavailable: /can't be|gone|not there|unavailable|missing/,
  permission_denied: /^not allowed/,
  invalid_argument: /^(not a|invalid)/,
};

function codeOf(status: number, text: string): ErrorCode {
  if (status === wireStatus.unauthenticated.http) return 'unauthenticated';
  if (status === wireStatus.permission_denied.http) return 'permission_denied';
  return errorCodes.find((code) => texts[code]?.test(text)) ?? 'internal';
}

function macOf({ kind, mac }: ObjectRef): object {
  return kind === 'lock' ? { Mac: mac } : { MAC: mac };
}
