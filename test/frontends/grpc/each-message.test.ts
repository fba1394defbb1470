import { expect } from 'chai';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eachMessage } from '../../../src/frontends/grpc/each-message.js';
import { eventually, expectFailure } from '../../support/store.js';

describe('eachMessage', () => {
  /** Work that waits until it is told how it ends. */
  class Works {
    readonly begun: number[] = [];
    private readonly ends: ((error?: Error) => void)[] = [];

    readonly work = (message: number): Promise<void> => {
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

  const messages = (count: number): Readable => Readable.from(Array.from({ length: count }, (_, i) => i));

  it('begins no more at once than it may, and the next one when one is done', async () => {
    const works = new Works();
    const all = eachMessage(messages(5), 2, works.work);
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
    const all = eachMessage(messages(2), 8, works.work).then(() => (done = true));
    await works.untilBegun(2);
    works.end(0);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(done).to.equal(false);
    works.end(1);
    await all;
  });

  it('is done at once where there is no message', () => eachMessage(messages(0), 2, new Works().work));

  it('fails as the first work did, when the others are done, and begins no more', async () => {
    const works = new Works();
    let failed = false;
    const all = eachMessage(messages(9), 2, works.work).catch((error: unknown) => {
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
    const all = eachMessage(stream, 2, new Works().work);
    stream.destroy();
    await expectFailure(all, 'canceled');
    await expectFailure(eachMessage(stream, 2, new Works().work), 'canceled');
  });
});
