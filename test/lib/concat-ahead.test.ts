import { expect } from 'chai';
import { concatAhead } from '../../src/lib/concat-ahead.js';

describe('concatAhead', () => {
  let open: number;

  async function* source(items: readonly (string | Error)[]): AsyncGenerator<string, void, undefined> {
    open++;
    try {
      for (const item of items) {
        await Promise.resolve();
        if (item instanceof Error) throw item;
        yield item;
      }
    } finally {
      open--;
    }
  }

  async function collect(sources: AsyncIterable<string>[], until = Infinity): Promise<string[]> {
    const items: string[] = [];
    for await (const item of concatAhead(sources, 2)) if (items.push(item) === until) break;
    return items;
  }

  beforeEach(() => {
    open = 0;
  });

  it('gives all items of all sources, in order', async () => {
    const sources = [['a', 'b', 'c'], [], ['d'], ['e', 'f'], []].map(source);
    expect(await collect(sources)).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(open).to.equal(0);
  });

  it('ends every source that it began when it is left early, or one fails', async () => {
    expect(await collect([['a', 'b'], ['c', 'd'], ['e']].map(source), 1)).to.deep.equal(['a']);
    expect(open).to.equal(0);
    const failure = new Error('broken');
    const failed = await collect([['a'], [failure], ['b', 'c']].map(source)).catch((error: unknown) => error);
    expect([failed, open]).to.deep.equal([failure, 0]);
  });
});
