import { expect } from 'chai';
import { Slots } from '../../src/lib/semaphore.js';
import { Turns, type Turn } from '../../src/layers/turns.js';
import { ctx } from '../support/store.js';

describe('Turns', () => {
  it('remembers callers who come again, and forgets, of very many, those who have nothing under way', () => {
    const made: string[] = [];
    const turns = new Turns({ maxRequests: 2, maxUploads: 1, queueMs: 0 }, (kind, key, places) => {
      if (kind === 'requests') made.push(key);
      return new Slots(places);
    });
    const use = (key: string): void => (turns.take(key, ctx) as Turn).end();
    const busy = turns.take('busy', ctx) as Turn;
    for (let i = 0; i < 10; i++) use('idle');
    expect(made).to.deep.equal(['busy', 'idle']);
    for (let i = 0; i < 2000; i++) use(`other ${i}`);
    made.length = 0;
    use('idle');
    const second = turns.take('busy', ctx) as Turn;
    expect(made).to.deep.equal(['idle']);
    expect(turns.callers).to.equal(1);
    busy.end();
    second.end();
    expect(turns.callers).to.equal(0);
  });
});
