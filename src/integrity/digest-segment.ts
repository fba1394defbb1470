import type { DigestStorage } from '../core/digests.js';
import type { OpContext } from '../core/store.js';
import { emptySegment, isChained, parseLine, writtenChain, type DigestLine, type SegmentState } from './digest-line.js';

/** Lines are shorter; what has no line feed for so long is no text of a gateway's. */
const maxLineBytes = 64 * 1024;

/** How much of a segment's end is read for its last line. */
const tailBytes = 8 * 1024;

/**
 * Splits a segment's bytes into lines, without their line feeds. What comes after the last one isn't a line: a power cut ended it, or it is
 * being written. The same is true of what comes after bytes that are zero, which file systems may leave there after a power cut.
 */
async function* linesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[], void, undefined> {
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const lines = text.split('\n');
    rest = lines.pop() ?? '';
    const torn = lines.findIndex((line) => line.includes('\0'));
    if (torn >= 0) return yield lines.slice(0, torn);
    yield lines;
    if (rest.length > maxLineBytes) return;
  }
}

/** Some lines of a segment. */
export interface SegmentPart {
  /** What those say that fit the line before them. */
  readonly lines: readonly DigestLine[];
  /** How many don't fit. */
  readonly misfits: number;
  /** The segment up to each of them. */
  readonly states: readonly SegmentState[];
}

/** Reads a segment. A line that was changed doesn't fit the one before it, and may make the next one not fit either; later ones do again. */
export async function* readSegment(
  storage: DigestStorage,
  name: string,
  ctx: OpContext,
): AsyncGenerator<SegmentPart, void, undefined> {
  let state = emptySegment(name);
  for await (const texts of linesIn(storage.read(name, ctx))) {
    const lines: DigestLine[] = [];
    const states: SegmentState[] = [];
    for (const text of texts) {
      if (isChained(text, state.chain)) lines.push(parseLine(text));
      state = { length: state.length + text.length + 1, chain: writtenChain(text) ?? '' };
      states.push(state);
    }
    yield { lines, misfits: texts.length - lines.length, states };
  }
}

/** What a segment says of others: its `after` lines, which are at its beginning. */
export async function readAfterLines(
  storage: DigestStorage,
  name: string,
  ctx: OpContext,
): Promise<Extract<DigestLine, { type: 'after' }>[]> {
  const found: Extract<DigestLine, { type: 'after' }>[] = [];
  for await (const { lines } of readSegment(storage, name, ctx)) {
    for (const line of lines) {
      if (line.type === 'after') found.push(line);
      else if (line.type !== 'header') return found;
    }
  }
  return found;
}

/** A segment up to its last line; undefined if it has none, or one that is no line of a gateway's. The line is certain to stay. */
export async function lastState(
  storage: DigestStorage,
  { name, size }: { readonly name: string; readonly size: number },
  ctx: OpContext,
): Promise<SegmentState | undefined> {
  const from = Math.max(0, size - tailBytes);
  let length = from;
  let last: string | undefined;
  for await (const lines of linesIn(storage.read(name, ctx, { from, synced: true }))) {
    for (const line of lines) length += line.length + 1;
    last = lines.at(-1) ?? last;
  }
  const chain = last === undefined ? undefined : writtenChain(last);
  return chain === undefined ? undefined : { length, chain };
}
