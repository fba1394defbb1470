import type { DigestStorage, RecordedDigest, SegmentInfo } from '../core/digests.js';
import { hasCode, StoreError } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext } from '../core/store.js';
import { mapAhead } from '../lib/map-ahead.js';
import { emptySegment, isKnownVersion, type DigestLine, type SegmentState } from './digest-line.js';
import { readAfterLines, readSegment, type SegmentPart } from './digest-segment.js';

/** How many segments are looked at at once. */
export const segmentConcurrency = 8;

/** Something that happened to a segment, which no gateway does. */
export interface SegmentProblem {
  readonly segment: string;
  readonly problem: 'changed' | 'cut' | 'removed' | 'unreadable';
  /** The same for people, with the segment's name. */
  readonly message: string;
}

/** What lines say of objects. */
export type DigestEntry = Extract<DigestLine, { readonly ref: ObjectRef }>;

export interface LogPart {
  readonly entries: readonly DigestEntry[];
  readonly problems: readonly SegmentProblem[];
}

/** The digests of all segments, in no particular order. What doesn't fit in a changed segment is left out. */
export async function* readDigests(
  storage: DigestStorage,
  ctx: OpContext,
): AsyncGenerator<RecordedDigest, void, undefined> {
  for await (const { entries } of readLog(storage, ctx)) {
    for (const entry of entries) {
      if ('digest' in entry) yield { ...entry.ref, ...entry.digest, recordedMs: entry.timeMs };
    }
  }
}

/** What was changed, cut or removed of the segments after they were written. */
export async function checkSegments(storage: DigestStorage, ctx: OpContext): Promise<readonly SegmentProblem[]> {
  const found: SegmentProblem[] = [];
  for await (const { problems } of readLog(storage, ctx)) found.push(...problems);
  return found;
}

/** Reads and checks all segments. */
export async function* readLog(storage: DigestStorage, ctx: OpContext): AsyncGenerator<LogPart, void, undefined> {
  const listed = await storage.list(ctx);
  const expected = await expectations(storage, listed, ctx);
  for (const { name } of listed) {
    const check = new SegmentCheck(name, expected.get(name) ?? []);
    try {
      for await (const part of readSegment(storage, name, ctx)) yield { entries: check.add(part), problems: [] };
      yield { entries: [], problems: check.end() };
    } catch (error) {
      yield { entries: [], problems: [unreadable(name, error)] };
    }
    expected.delete(name);
  }
  yield { entries: [], problems: await removed([...expected.keys()], storage, ctx) };
}

/** By segment: what others say that it had. */
async function expectations(
  storage: DigestStorage,
  segments: readonly SegmentInfo[],
  ctx: OpContext,
): Promise<Map<string, SegmentState[]>> {
  const expected = new Map<string, SegmentState[]>();
  // What can't be read is a problem of its own, later.
  const read = ({ name }: SegmentInfo) => readAfterLines(storage, name, ctx).catch(() => []);
  for await (const lines of mapAhead(segments, segmentConcurrency, read)) {
    for (const { segment, length, chain } of lines) {
      const states = expected.get(segment);
      if (states === undefined) expected.set(segment, [{ length, chain }]);
      else states.push({ length, chain });
    }
  }
  return expected;
}

async function removed(
  names: readonly string[],
  storage: DigestStorage,
  ctx: OpContext,
): Promise<readonly SegmentProblem[]> {
  if (names.length === 0) return [];
  // A list need not have what was added while it was made.
  const present = new Set((await storage.list(ctx)).map(({ name }) => name));
  const missing = names.filter((name) => !present.has(name));
  return missing.map((segment) => {
    return { segment, problem: 'removed', message: `the segment of digests ${segment} was removed` };
  });
}

function unreadable(segment: string, error: unknown): SegmentProblem {
  if (hasCode(error, 'canceled')) throw error;
  const { message } = StoreError.from(error);
  return {
    segment,
    problem: 'unreadable',
    message: `the segment of digests ${segment} can't be read: ${message}`,
  };
}

/** Compares a segment that is read with its own chain and with what other segments say of it. */
class SegmentCheck {
  private state: SegmentState;
  private misfits = 0;
  private isKnown = true;
  private readonly unseen: Map<number, string>;
  /** Of what other segments say. */
  private isDifferent = false;

  constructor(
    private readonly name: string,
    expected: readonly SegmentState[],
  ) {
    this.state = emptySegment(name);
    this.unseen = new Map(expected.map(({ length, chain }) => [length, chain]));
    // Two that say different things of one length can't both be right.
    this.isDifferent = expected.some(({ length, chain }) => this.unseen.get(length) !== chain);
  }

  /** Returns what lines say of objects. */
  add({ lines, misfits, states }: SegmentPart): DigestEntry[] {
    this.misfits += misfits;
    for (const state of states) {
      const chain = this.unseen.get(state.length);
      if (chain !== undefined && chain !== state.chain) this.isDifferent = true;
      this.unseen.delete(state.length);
      this.state = state;
    }
    const header = lines.find((line) => line.type === 'header');
    if (header !== undefined) this.isKnown = isKnownVersion(header.version);
    if (!this.isKnown) return [];
    return lines.filter((line) => 'ref' in line);
  }

  /** Must be called after the last line. */
  end(): SegmentProblem[] {
    const { name: segment, misfits, state } = this;
    const of = `the segment of digests ${segment}`;
    const lengths = [...this.unseen.keys()];
    const problems: SegmentProblem[] = [];
    if (misfits > 0) {
      problems.push({ segment, problem: 'changed', message: `${of} was changed: ${misfits} of its lines don't fit` });
    } else if (this.isDifferent || lengths.some((length) => length < state.length)) {
      problems.push({ segment, problem: 'changed', message: `${of} was replaced: others say that it had other lines` });
    }
    const longest = Math.max(0, ...lengths);
    if (longest > state.length) {
      const message = `${of} was cut: it has ${state.length} bytes, and had at least ${longest}`;
      problems.push({ segment, problem: 'cut', message });
    }
    if (!this.isKnown) {
      const message = `${of} can't be read: a later version of the gateway wrote it`;
      problems.push({ segment, problem: 'unreadable', message });
    }
    return problems;
  }
}
