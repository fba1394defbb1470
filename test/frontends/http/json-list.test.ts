import { expect } from 'chai';
import { MacBatch } from '../../../src/core/mac-batch.js';
import { jsonList } from '../../../src/frontends/http/json-list.js';
import { randomMac } from '../../support/objects.js';

const macs = Array.from({ length: 5 }, randomMac);

async function textOf(batches: readonly MacBatch[]): Promise<string> {
  async function* all(): AsyncGenerator<MacBatch> {
    yield* batches;
  }
  let text = '';
  for await (const chunk of jsonList('{"MACs":[', all(), ']}')) text += String(chunk);
  return text;
}

describe('a list as JSON', () => {
  it('is one array, however many batches it comes in', async () => {
    const empty = MacBatch.of([]);
    for (const batches of [
      [MacBatch.of(macs)],
      [MacBatch.of(macs.slice(0, 2)), MacBatch.of(macs.slice(2, 3)), MacBatch.of(macs.slice(3))],
      [empty, MacBatch.of(macs.slice(0, 1)), empty, MacBatch.of(macs.slice(1)), empty],
    ]) {
      expect(await textOf(batches)).to.equal(JSON.stringify({ MACs: macs }));
    }
    for (const batches of [[], [empty]]) expect(await textOf(batches)).to.equal('{"MACs":[]}');
  });

  it('says nothing before the first batch is there', async () => {
    async function* broken(): AsyncGenerator<MacBatch> {
      yield* [];
      throw new Error('it broke');
    }
    const chunks: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of jsonList('[', broken(), ']')) chunks.push(chunk);
    })();
    expect(await reading.catch((error: Error) => error.message)).to.equal('it broke');
    expect(chunks).to.deep.equal([]);
  });
});
