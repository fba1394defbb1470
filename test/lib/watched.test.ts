import { expect } from 'chai';
import { setImmediate } from 'node:timers/promises';
import { watched, type Watcher } from '../../src/lib/watched.js';

async function* upload(events: string[], chunks: readonly string[] = ['a', 'b']): AsyncGenerator<Uint8Array> {
  try {
    for (const chunk of chunks) {
      events.push(`ask ${chunk}`);
      yield Buffer.from(chunk);
    }
  } finally {
    events.push('closed');
  }
}

function watcher(name: string, events: string[]): Watcher {
  return {
    start: () => void events.push(`${name} start`),
    chunk: (chunk) => void events.push(`${name} ${Buffer.from(chunk).toString()}`),
    end: () => void events.push(`${name} end`),
  };
}

async function drain(chunks: AsyncIterable<Uint8Array>, events: string[] = []): Promise<string> {
  let text = '';
  for await (const chunk of chunks) {
    text += Buffer.from(chunk).toString();
    events.push(`got ${Buffer.from(chunk).toString()}`);
  }
  return text;
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => 'none', String);
}

describe('An upload that is watched', () => {
  it('is passed on as it is, chunk by chunk, in the order in which wrappers would see it', async () => {
    const events: string[] = [];
    const twice = watched(watched(upload(events), watcher('1', events)), watcher('2', events));
    expect(await drain(twice, events)).to.equal('ab');
    expect(events).to.deep.equal([
      ...['2 start', '1 start'],
      ...['ask a', '1 a', '2 a', 'got a'],
      ...['ask b', '1 b', '2 b', 'got b'],
      ...['closed', '1 end', '2 end'],
    ]);
  });

  it('adds a watcher only to the upload it returns, not to the one it wraps', async () => {
    const events: string[] = [];
    const one = watched(upload(events, ['a']), watcher('1', events));
    watched(one, watcher('never', events));
    await drain(one);
    expect(events.join()).to.equal('1 start,ask a,1 a,closed,1 end');
  });

  it('waits for a watcher that takes its time', async () => {
    const events: string[] = [];
    const slow = async (what: string): Promise<void> => {
      await setImmediate();
      events.push(what);
    };
    const patient = watched(upload(events, ['a']), {
      start: () => slow('start'),
      chunk: () => slow('chunk'),
      end: () => slow('end'),
    });
    await drain(patient, events);
    expect(events.join()).to.equal('start,ask a,chunk,got a,closed,end');
  });

  it('ends with the failure of a watcher, and its source is closed then', async () => {
    const fail = (): never => {
      throw new Error('no');
    };
    for (const [broken, expected] of [
      [{ start: fail }, ''],
      [{ chunk: fail }, 'ask a,closed'],
      [{ chunk: () => Promise.reject(new Error('no')) }, 'ask a,closed'],
      [{ end: fail }, 'ask a,ask b,closed'],
    ] as const) {
      const events: string[] = [];
      expect(await failureOf(drain(watched(upload(events), broken)))).to.equal('Error: no');
      expect(events.join()).to.equal(expected);
    }
  });

  it('does not report an end if the source fails or the consumer stops', async () => {
    const events: string[] = [];
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw new Error('cut off');
    }
    expect(await failureOf(drain(watched(broken(), watcher('1', events))))).to.equal('Error: cut off');
    for await (const chunk of watched(upload(events), watcher('2', events))) if (chunk.length > 0) break;
    expect(events.join()).to.equal('1 start,1 a,2 start,ask a,2 a,closed');
  });
});
