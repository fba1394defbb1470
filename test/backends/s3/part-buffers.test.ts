import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { PartBuffers, partBytes } from '../../../src/backends/s3/part-buffers.js';
import { canceled, type StoreError } from '../../../src/core/errors.js';
import { deferred } from '../../support/deferred.js';
import { ctx, expectFailure } from '../../support/store.js';

describe('the budget of part buffers', () => {
  it('gives out buffers of one size until all are in use', async () => {
    const buffers = new PartBuffers(2);
    expect((await buffers.take(ctx.signal)).bytes).to.have.length(partBytes);
    expect(buffers.tryTake()?.bytes).to.have.length(partBytes);
    expect(buffers.tryTake()).to.equal(undefined);
    expect(buffers.held).to.equal(2);
  });

  it('gives a buffer that is released to the one who has waited longest', async () => {
    const buffers = new PartBuffers(1);
    const held = await buffers.take(ctx.signal);
    const order: number[] = [];
    const waiters = [1, 2].map(async (number) => {
      const buffer = await buffers.take(ctx.signal);
      order.push(number);
      buffer.release();
    });
    held.release();
    expect(buffers.tryTake(), 'taken before those who wait').to.equal(undefined);
    await Promise.all(waiters);
    expect(order).to.deep.equal([1, 2]);
    expect(buffers.held).to.equal(0);
  });

  it('counts a buffer that is released twice once', async () => {
    const buffers = new PartBuffers(2);
    const first = await buffers.take(ctx.signal);
    await buffers.take(ctx.signal);
    first.release();
    first.release();
    expect(buffers.held).to.equal(1);
    buffers.tryTake();
    expect(buffers.tryTake()).to.equal(undefined);
  });

  it('uses the memory of a released buffer again', async () => {
    const buffers = new PartBuffers(2);
    const first = await buffers.take(ctx.signal);
    first.release();
    expect((await buffers.take(ctx.signal)).bytes).to.equal(first.bytes);
  });

  it('ends a wait that takes too long', async () => {
    const buffers = new PartBuffers(1, { waitMs: 1, fillMs: 60_000 });
    const held = await buffers.take(ctx.signal);
    const { message } = await expectFailure(buffers.take(ctx.signal), 'unavailable');
    expect(message).to.include('too many uploads');
    held.release();
    expect(buffers.tryTake()).not.to.equal(undefined);
  });

  describe('stops those that take too long to fill a buffer,', () => {
    /** A client whose bytes never come. Its buffer is released when it is stopped. */
    async function read(buffers: PartBuffers, stopped: (code: string) => void): Promise<void> {
      const buffer = await buffers.take(ctx.signal);
      const end = deferred();
      const stop = ({ code }: StoreError): void => {
        stopped(code);
        end.resolve();
      };
      await buffers.reading({ stop }, () => end.promise);
      buffer.release();
    }

    it('as many as there are who wait', async () => {
      const buffers = new PartBuffers(3, { waitMs: 60_000, fillMs: 1 });
      const ends: string[] = [];
      for (let reader = 0; reader < 3; reader++) void read(buffers, (code) => ends.push(code));
      const first = await buffers.take(ctx.signal);
      expect(ends).to.deep.equal(['too_slow']);
      const second = await buffers.take(ctx.signal);
      expect(ends).to.deep.equal(['too_slow', 'too_slow']);
      expect(buffers.held).to.equal(3);
      for (const buffer of [first, second, await buffers.take(ctx.signal)]) buffer.release();
    });

    it('but nobody while there are buffers, nor anybody who has filled one', async () => {
      const buffers = new PartBuffers(2, { waitMs: 60_000, fillMs: 1 });
      const stopped: string[] = [];
      const stop = ({ code }: StoreError): void => void stopped.push(code);
      const held = await buffers.take(ctx.signal);
      await buffers.reading({ stop }, async () => {
        await sleep(10);
        (await buffers.take(ctx.signal)).release();
      });
      const second = await buffers.take(ctx.signal);
      const waiting = buffers.take(ctx.signal);
      held.release();
      (await waiting).release();
      second.release();
      expect(stopped).to.deep.equal([]);
    });
  });

  it('ends a wait when its caller goes away', async () => {
    const buffers = new PartBuffers(1);
    const held = await buffers.take(ctx.signal);
    const caller = new AbortController();
    const waiting = buffers.take(caller.signal);
    caller.abort(canceled());
    await expectFailure(waiting, 'canceled');
    held.release();
    expect(buffers.tryTake()).not.to.equal(undefined);
  });
});
