import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fixturePath } from '../support/temp.js';

/** A request as plakar's client sent it. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What of an answer is compared. */
export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  /** Undefined where there is none; `free` where the answer may be chunked, or have one that fits its body. */
  readonly contentLength: number | undefined | 'free';
  /** As `shown` shows it. */
  readonly body: string;
}

export interface Exchange {
  readonly asked: Asked;
  /** The answer of plakar's own server. */
  readonly recorded: Answer;
}

/** The recordings of a kind of store, in the order in which they were made on one store. */
export const commands = [
  'ls-empty',
  'backup-1',
  'ls',
  'check',
  'restore',
  'backup-2',
  'rm',
  'maintenance-refused',
  'maintenance',
] as const;

export type Command = (typeof commands)[number];

/** The exchanges between plakar's client and its server during one command. */
export function recordingOf(
  store: 'plaintext' | 'encrypted',
  name: Command | 'edge-cases',
  generation: 'v1.1' | 'v1.0' = 'v1.1',
): Exchange[] {
  return parse(fixturePath(`${generation}-${store}/${name}.jsonl`));
}

/**
 * Requests that no command sends, each recorded with the answer of plakar 1.1.4's server on a copy of the plaintext store with
 * two snapshots: without -allow-delete, and with it.
 */
export function edgeCasesOf(name: 'more-edge-cases' | 'deletes'): Exchange[] {
  return parse(fileURLToPath(new URL(`${name}.jsonl`, import.meta.url)));
}

/** A body, to be compared and read: as text where it is some, as its length and SHA-256 where it is long, else as hex. */
export function shown(body: Buffer, contentType: string | undefined): string {
  if (body.length > 4096) return summary(body.length, createHash('sha256').update(body).digest('hex'));
  return contentType?.startsWith('text/') || contentType === 'application/json'
    ? body.toString('latin1')
    : body.toString('hex');
}

function summary(length: number, sha256: string): string {
  return `${length} bytes with SHA-256 ${sha256}`;
}

interface Line {
  readonly request: Omit<Asked, 'body'> & { readonly body: string };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly length?: number;
    readonly sha256?: string;
  };
}

function parse(path: string): Exchange[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((text) => {
    const { request, response } = JSON.parse(text) as Line;
    const contentType = response.headers['content-type'];
    const contentLength = response.headers['content-length'];
    return {
      asked: { ...request, body: Buffer.from(request.body, 'base64') },
      recorded: {
        status: response.status,
        contentType,
        contentLength: contentLength === undefined ? 'free' : Number(contentLength),
        body:
          response.body === undefined
            ? summary(response.length ?? NaN, response.sha256 ?? '')
            : shown(Buffer.from(response.body, 'base64'), contentType),
      },
    };
  });
}
