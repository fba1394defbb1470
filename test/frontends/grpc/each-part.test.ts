import { expect } from 'chai';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eachPart } from '../../../src/frontends/grpc/each-part.js';
import { eventually, expectFailure } from '../../support/store.js';

describe('eachPart', () => {
  /** Work that waits until it is told how it ends. */
  class Works {
    readonly begun: number[] = [];
    private readonly ends: ((error?: Error) => void)[] = [];

    readonly work = ({ message }: { message: number }): Promise<void> => {
      this.begun.push(message);
      return new Promise((resolve, reject) => {
        this.ends[message] = (error) => (error === undefined ? resolve() : reject(error));
      });
    };

    end(message: number, error?: Error): void {
      this.ends[message]?.(error);
    }

    async untilBegun(count: number): Promise<void> {
      await eventually(async () => this.begun.length === count, `${count} are begun`);
    }
  }

  const part = (message: number, weight = 1) => ({ message, weight });
  const alone = (message: number) => [part(message)];
  const several = (message: number[]) => message.map((each) => part(each));
  const messages = (count: number): Readable => Readable.from(Array.from({ length: count }, (_, i) => i));

  it('begins no more at once than it may, and the next one when one is done', async () => {
    const works = new Works();
    const all = eachPart(messages(5), alone, 2, works.work);
    await works.untilBegun(2);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(works.begun).to.deep.equal([0, 1]);
    works.end(1);
    await works.untilBegun(3);
    for (const message of [0, 2]) works.end(message);
    await works.untilBegun(5);
    for (const message of [3, 4]) works.end(message);
    await all;
  });

  it('is done only when the last work is', async () => {
    const works = new Works();
    let done = false;
    const all = eachPart(messages(2), alone, 8, works.work).then(() => (done = true));
    await works.untilBegun(2);
    works.end(0);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(done).to.equal(false);
    works.end(1);
    await all;
  });

  it('is done at once where there is no message', () => eachPart(messages(0), alone, 2, new Works().work));

  it('fails as the first work did, when the others are done, and begins no more', async () => {
    const works = new Works();
    let failed = false;
    const all = eachPart(messages(9), alone, 2, works.work).catch((error: unknown) => {
      failed = true;
      return error;
    });
    await works.untilBegun(2);
    works.end(1, new Error('the first'));
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(failed).to.equal(false);
    works.end(0, new Error('the second'));
    expect(await all).to.have.property('message', 'the first');
    expect(works.begun).to.deep.equal([0, 1]);
  });

  it('fails with canceled when the client goes away, and when it was gone before', async () => {
    const stream = new Readable({ objectMode: true, read: () => undefined });
    const all = eachPart(stream, alone, 2, new Works().work);
    stream.destroy();
    await expectFailure(all, 'canceled');
    await expectFailure(eachPart(stream, alone, 2, new Works().work), 'canceled');
  });

  it('works on the parts of a message as on messages of their own, in their order', async () => {
    const works = new Works();
    const all = eachPart(Readable.from([[0, 1, 2], [], [3, 4]]), several, 2, works.work);
    await works.untilBegun(2);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(works.begun).to.deep.equal([0, 1]);
    for (const part of [0, 1]) works.end(part);
    await works.untilBegun(4);
    for (const part of [2, 3]) works.end(part);
    await works.untilBegun(5);
    works.end(4);
    await all;
    expect(works.begun).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('is not done with the last message before its last part is begun', async () => {
    const works = new Works();
    let done = false;
    const all = eachPart(Readable.from([[0, 1]]), several, 1, works.work);
    const ended = all.then(() => (done = true));
    await works.untilBegun(1);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    works.end(0);
    await works.untilBegun(2);
    expect(done).to.equal(false);
    works.end(1);
    await ended;
  });

  it('fails with what a message of no parts throws, when the work before it is done', async () => {
    const works = new Works();
    const partsOf = (message: number) => {
      if (message === 1) throw new Error('no parts');
      return alone(message);
    };
    let failed = false;
    const all = eachPart(messages(3), partsOf, 8, works.work).catch((error: unknown) => {
      failed = true;
      return error;
    });
    await works.untilBegun(1);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(failed).to.equal(false);
    works.end(0);
    expect(await all).to.have.property('message', 'no parts');
    expect(works.begun).to.deep.equal([0]);
  });

  it('begins as many as weigh no more than it may have at once, and one that is heavier alone', async () => {
    const weights = [1, 3, 1, 5, 1];
    const works = new Works();
    const all = eachPart(messages(5), (message: number) => [part(message, weights[message])], 4, works.work);
    const begun = async (...expected: number[]): Promise<void> => {
      await works.untilBegun(expected.length);
      for (let turn = 0; turn < 10; turn++) await nextTurn();
      expect(works.begun).to.deep.equal(expected);
    };
    await begun(0, 1);
    works.end(0);
    await begun(0, 1, 2);
    works.end(1);
    await begun(0, 1, 2);
    works.end(2);
    await begun(0, 1, 2, 3);
    works.end(3);
    await begun(0, 1, 2, 3, 4);
    works.end(4);
    await all;
  });
});
