import { expect } from 'chai';
import { LineMerger, WorkerLog, type TimedLine } from '../../src/observability/worker-log.js';
import { eventually } from '../support/store.js';

describe('the log of several processes', () => {
  const line = (ms: number, text: string): TimedLine => ({ ms, text: `${text}\n` });

  it('is in the order of the times of its lines, however late a process sends its own', async () => {
    const written: string[] = [];
    const merger = new LineMerger((text) => void written.push(text));
    const now = Date.now();
    merger.add([line(now + 1, 'b'), line(now + 3, 'd')]);
    merger.add([line(now, 'a'), line(now + 2, 'c1'), line(now + 2, 'c2')]);
    expect(written.join('')).to.equal('');
    await eventually(async () => written.join('').length > 9, 'all lines are written');
    expect(written.join('')).to.equal('a\nb\nc1\nc2\nd\n');
  });

  it('has all lines of a worker that ends, and those of the primary that were held', async () => {
    const written: string[] = [];
    const merger = new LineMerger((text) => void written.push(text));
    const worker = new WorkerLog('info', 'json', async (lines) => merger.add(lines));
    worker.log.info({ n: 1 }, 'first');
    worker.log.debug({ n: 2 }, 'left out');
    worker.log.warn({ n: 3 }, 'last');
    await worker.close();
    worker.log.error({ n: 4 }, 'too late');
    merger.flush();
    const lines = written.join('').trim().split('\n');
    expect(lines.map((text) => (JSON.parse(text) as { msg: string }).msg)).to.deep.equal(['first', 'last']);
  });
});
