import { expect } from 'chai';
import fc from 'fast-check';
import { StoreError } from '../../src/core/errors.js';
import { chained, emptySegment, headerLine } from '../../src/integrity/digest-line.js';
import { checkSegments, type SegmentProblem } from '../../src/integrity/digest-log.js';
import { digestWriter, randomDigest, recordedDigests } from '../support/digests.js';
import { MemoryDigests } from '../support/memory-digests.js';
import { newRef } from '../support/objects.js';
import { ctx } from '../support/store.js';

/** How many digests each segment has. */
const each = 20;

/** Segments of gateways that were started one after the other. */
async function makeSegments(count: number): Promise<MemoryDigests> {
  const storage = new MemoryDigests();
  for (let i = 0; i < count; i++) {
    const writer = digestWriter(storage, { now: () => Date.UTC(2026, 10, 1 + i) });
    await Promise.all(Array.from({ length: each }, () => writer.record(newRef('packfile'), randomDigest())));
    await writer.close();
  }
  return storage;
}

async function problemsOf(storage: MemoryDigests): Promise<string[]> {
  return (await checkSegments(storage, ctx)).map(({ segment, problem }) => {
    return `${[...storage.segments.keys()].indexOf(segment)} ${problem}`;
  });
}

describe('The segments of digests', () => {
  let storage: MemoryDigests;
  let first: Buffer;

  beforeEach(async () => {
    storage = await makeSegments(3);
    first = Buffer.from(storage.bytesOf(0));
  });

  const set = (index: number, bytes: Buffer): unknown => storage.segments.set(storage.nameOf(index), bytes);

  it('are all read, and nothing is wrong with them', async () => {
    expect((await recordedDigests(storage)).size).to.equal(3 * each);
    expect(await problemsOf(storage)).to.deep.equal([]);
    expect(await checkSegments(new MemoryDigests(), ctx)).to.deep.equal([]);
  });

  it('show it wherever a bit is flipped, and the other lines are still read', async () => {
    const bit = fc.record({ at: fc.nat(first.length - 1), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(bit, async ({ at, bit }) => {
        const flipped = Buffer.from(first);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        set(0, flipped);
        // A bit can also make a line feed or a zero of what wasn't one, or the other way round.
        const problems = await problemsOf(storage);
        expect(problems.length, `of byte ${at}`).to.be.above(0);
        for (const problem of problems) expect(problem).to.match(/^0 (changed|cut)$/);
        if (problems.includes('0 changed')) expect((await recordedDigests(storage)).size).to.be.at.least(3 * each - 3);
      }),
      { numRuns: 300 },
    );
  });

  it('show it where lines are taken out, doubled or swapped', async () => {
    const lines = storage.text(0).split(/(?<=\n)/);
    const changes = [
      lines.toSpliced(4, 1),
      lines.toSpliced(4, 0, lines[4] ?? ''),
      [...lines.slice(0, 4), lines[5], lines[4], ...lines.slice(6)],
      lines.slice(1),
    ];
    for (const changed of changes) {
      set(0, Buffer.from(changed.join('')));
      expect(await problemsOf(storage)).to.include('0 changed');
    }
  });

  it('show it where one is written anew with chains that fit', async () => {
    const others = [
      headerLine('one', 0),
      ...storage
        .text(0)
        .split('\n')
        .slice(2, -1)
        .map((line) => line.slice(0, -33)),
    ];
    const { text } = chained(others, emptySegment(storage.nameOf(0)));
    for (const changed of [text.padEnd(first.length, 'x'), text + text]) {
      set(0, Buffer.from(changed));
      expect((await problemsOf(storage)).length).to.be.above(0);
    }
    // As long as it was, but with other digests.
    const other = (await makeSegments(1))
      .text(0)
      .split('\n')
      .slice(0, -1)
      .map((line) => line.slice(0, -33));
    set(0, Buffer.from(chained(other, emptySegment(storage.nameOf(0))).text));
    expect(await problemsOf(storage)).to.deep.equal(['0 changed']);
  });

  it('show it where one is cut, also between two lines', async () => {
    for (const bytes of [
      first.subarray(0, first.length - 10),
      first.subarray(0, first.indexOf('\n') + 1),
      Buffer.alloc(0),
    ]) {
      set(0, bytes);
      expect(await problemsOf(storage)).to.deep.equal(['0 cut']);
    }
  });

  it('show it where one is removed, renamed, or has the name of another one', async () => {
    const [name, second] = [storage.nameOf(0), storage.nameOf(1)];
    storage.segments.delete(name);
    expect((await checkSegments(storage, ctx)).map(({ segment, problem }) => [segment, problem])).to.deep.equal([
      [name, 'removed'],
    ]);
    const renamed = name.replace('test-host', 'other-host');
    storage.segments.set(renamed, first);
    const problems = await checkSegments(storage, ctx);
    expect(problems.map(({ segment, problem }) => [segment, problem])).to.have.deep.members([
      [name, 'removed'],
      [renamed, 'changed'],
    ]);
    storage.segments.delete(renamed);
    storage.segments.set(name, storage.segments.get(second) ?? first).set(second, first);
    expect(new Set((await checkSegments(storage, ctx)).map(({ segment }) => segment))).to.deep.equal(
      new Set([name, second]),
    );
  });

  it('are whole where a power cut or a killed process left a part of a line, or zeros', async () => {
    const last = storage.bytesOf(2);
    for (const bytes of [
      last.subarray(0, last.length - 10),
      Buffer.concat([last, Buffer.from('packfile 1234')]),
      Buffer.concat([last, Buffer.alloc(4096)]),
      Buffer.concat([last, Buffer.alloc(100), last]),
    ]) {
      set(2, Buffer.from(bytes));
      expect(await problemsOf(storage)).to.deep.equal([]);
      expect((await recordedDigests(storage)).size).to.be.within(3 * each - 1, 3 * each);
    }
    await digestWriter(storage).record(newRef('state'), randomDigest());
    expect(await problemsOf(storage), 'after the next gateway has named it').to.deep.equal([]);
  });

  it('are read in part where one can’t be read, and where a later version wrote one', async () => {
    const unreadable = storage.nameOf(1);
    storage.beforeRead = (name) => {
      if (name === unreadable) throw new StoreError('unavailable', 'a broken disk');
    };
    expect(await problemsOf(storage)).to.deep.equal(['1 unreadable']);
    expect((await recordedDigests(storage)).size).to.equal(2 * each);
    const later = chained(
      ['kloset-gateway-digests 2 one 2030-01-01T00:00:00.000Z', 'packfile what'],
      emptySegment(unreadable),
    );
    storage.beforeRead = () => undefined;
    storage.segments.delete(storage.nameOf(2));
    set(1, Buffer.from(later.text));
    expect(await problemsOf(storage)).to.deep.equal(['1 unreadable']);
    expect((await recordedDigests(storage)).size).to.equal(each);
  });

  it('may have lines with other words in between', async () => {
    const name = storage.nameOf(0).replace('2026', '2025');
    storage.segments.set(name, Buffer.from(chained([headerLine('one', 0), 'word of later'], emptySegment(name)).text));
    expect(await problemsOf(storage)).to.deep.equal([]);
  });

  it('are told of by their names and what is wrong', async () => {
    set(0, first.subarray(0, 300));
    const [problem] = await checkSegments(storage, ctx);
    expect(problem).to.deep.equal({
      segment: storage.nameOf(0),
      problem: 'cut',
      message: `the segment of digests ${storage.nameOf(0)} was cut: it has ${first.lastIndexOf('\n', 299) + 1} bytes, and had at least ${first.length}`,
    } satisfies SegmentProblem);
  });
});
