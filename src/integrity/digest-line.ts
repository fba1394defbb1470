import { hash } from 'node:crypto';
import type { Digest } from '../core/digests.js';
import { isMac, type ObjectRef } from '../core/object.js';

/*
 * The lines of a segment of digests: text of ASCII characters, each line with a line feed at its end.
 *
 *   kloset-gateway-digests 1 <instance of the gateway> <time> <chain>
 *   after <another segment> <its length in bytes> <its last chain> <chain>
 *   <kind> <MAC> <size> <SHA-256> <time> <chain>
 *   seen <kind> <MAC> <size> <SHA-256> <time> <chain>
 *   deleted <kind> <MAC> <time> <chain>
 *   restored <kind> <MAC> <time of the delete> <time> <chain>
 *
 * The first one is the header. `after` lines may follow it: what other segments had when this one was begun. Then come the digests of objects
 * that were put, those of objects that were there without one when they were read later (`seen`), the names of those that a client deleted, and of
 * those that came back from the trash after that. Other words are skipped: a later version's.
 *
 * The chain is the first half of the SHA-256, as 32 hex digits, of the chain before it (in the first line, of the segment's name) and of the line without
 * its chain.
 */

/** The version of the format. */
const version = '1';

/** What a line says. */
export type DigestLine =
  | { readonly type: 'header'; readonly version: string }
  | { readonly type: 'after'; readonly segment: string; readonly length: number; readonly chain: string }
  | { readonly type: 'put' | 'seen'; readonly ref: ObjectRef; readonly digest: Digest; readonly timeMs: number }
  | { readonly type: 'deleted'; readonly ref: ObjectRef; readonly timeMs: number }
  | { readonly type: 'restored'; readonly ref: ObjectRef; /** The last delete before. */ readonly deletedMs: number }
  | { readonly type: 'other' };

/** A segment up to some line's end. */
export interface SegmentState {
  /** In bytes. */
  readonly length: number;
  /** The last line's. */
  readonly chain: string;
}

/** A segment before its first line. */
export function emptySegment(name: string): SegmentState {
  return { length: 0, chain: name };
}

export function isKnownVersion(found: string): boolean {
  return found === version;
}

export function headerLine(instance: string, timeMs: number): string {
  return `kloset-gateway-digests ${version} ${encodeURIComponent(instance)} ${timeText(timeMs)}`;
}

export function afterLine(segment: string, { length, chain }: SegmentState): string {
  return `after ${segment} ${length} ${chain}`;
}

export function putLine({ kind, mac }: ObjectRef, { size, sha256 }: Digest, timeMs: number): string {
  return `${kind} ${mac} ${size} ${sha256.toString('hex')} ${timeText(timeMs)}`;
}

/** Of an object that was put earlier, perhaps by another client. */
export function seenLine(ref: ObjectRef, digest: Digest, timeMs: number): string {
  return `seen ${putLine(ref, digest, timeMs)}`;
}

export function deletedLine({ kind, mac }: ObjectRef, timeMs: number): string {
  return `deleted ${kind} ${mac} ${timeText(timeMs)}`;
}

/** @param deletedMs the last delete that the object came back from */
export function restoredLine({ kind, mac }: ObjectRef, deletedMs: number, timeMs: number): string {
  return `restored ${kind} ${mac} ${timeText(deletedMs)} ${timeText(timeMs)}`;
}

/** Lines as they follow in a segment, and the segment with them. @param lines without their chains */
export function chained(lines: readonly string[], before: SegmentState): { text: string; after: SegmentState } {
  let { chain } = before;
  let text = '';
  for (const line of lines) {
    chain = nextChain(chain, line);
    text += `${line} ${chain}\n`;
  }
  return { text, after: { length: before.length + text.length, chain } };
}

/** A line's chain as it is written, whatever it should be; undefined if there is none. @param text without the line feed */
export function writtenChain(text: string): string | undefined {
  return /^[ -~]+ ([0-9a-f]{32})$/.exec(text)?.[1];
}

/** Whether a line's chain is the one that follows the chain before it. */
export function isChained(text: string, previous: string): boolean {
  const chain = writtenChain(text);
  return chain !== undefined && nextChain(previous, withoutChain(text)) === chain;
}

/** What a line says whose chain is right. */
export function parseLine(text: string): DigestLine {
  const [word = '', ...fields] = withoutChain(text).split(' ');
  switch (word) {
    case 'kloset-gateway-digests':
      return { type: 'header', version: fields[0] ?? '' };
    case 'after':
      return parseAfter(fields);
    case 'packfile':
    case 'state':
      return parseDigest('put', [word, ...fields]);
    case 'seen':
      return parseDigest('seen', fields);
    case 'deleted':
      return parseDeleted(fields);
    case 'restored':
      return parseRestored(fields);
    default:
      return { type: 'other' };
  }
}

function parseAfter([segment = '', length = '', chain = '']: readonly string[]): DigestLine {
  return { type: 'after', segment, length: Number(length), chain };
}

function parseDigest(
  type: 'put' | 'seen',
  [kind, mac, size = '', digest = '', time = '']: readonly string[],
): DigestLine {
  const ref = parseRef(kind, mac);
  const sha256 = Buffer.from(digest, 'hex');
  const timeMs = Date.parse(time);
  if (ref === undefined || !/^\d{1,16}$/.test(size) || sha256.length !== 32 || Number.isNaN(timeMs))
    return { type: 'other' };
  return { type, ref, digest: { size: Number(size), sha256 }, timeMs };
}

function parseDeleted([kind, mac, time = '']: readonly string[]): DigestLine {
  const ref = parseRef(kind, mac);
  const timeMs = Date.parse(time);
  return ref === undefined || Number.isNaN(timeMs) ? { type: 'other' } : { type: 'deleted', ref, timeMs };
}

function parseRestored([kind, mac, deleted = '']: readonly string[]): DigestLine {
  const ref = parseRef(kind, mac);
  const deletedMs = Date.parse(deleted);
  return ref === undefined || Number.isNaN(deletedMs) ? { type: 'other' } : { type: 'restored', ref, deletedMs };
}

function parseRef(kind: string | undefined, mac = ''): ObjectRef | undefined {
  return (kind === 'packfile' || kind === 'state') && isMac(mac) ? { kind, mac } : undefined;
}

const chainDigits = 32;

function withoutChain(text: string): string {
  return text.slice(0, -chainDigits - 1);
}

function nextChain(previous: string, line: string): string {
  return hash('sha256', `${previous}${line}\n`, 'hex').slice(0, chainDigits);
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
