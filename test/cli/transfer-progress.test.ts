import { expect } from 'chai';
import { TransferProgress } from '../../src/cli/transfer-progress.js';
import { TransferRate } from '../../src/cli/transfer-rate.js';
import { deferred } from '../support/deferred.js';

const MiB = 1024 * 1024;

describe('TransferRate', () => {
  let nowMs: number;
  let rate: TransferRate;

  beforeEach(() => {
    nowMs = 5000;
    rate = new TransferRate(() => nowMs);
  });

  function after(ms: number, bytes: number): string {
    nowMs += ms;
    rate.add(bytes);
    return rate.text;
  }

  it('says how much is done, how fast, and how long the rest takes', () => {
    expect(rate.text).to.equal('0 B, 0 B/s');
    rate.total = 1000 * MiB;
    expect(rate.text).to.equal('0 B of 1000 MiB, 0 B/s');
    expect(after(10_000, 100 * MiB)).to.equal('100 MiB of 1000 MiB, 10.0 MiB/s, 1m 30s left');
    expect(rate.share).to.equal(0.1);
    rate.total = 1_000_000 * MiB;
    expect(after(0, 0)).to.match(/, 1d 3h left$/);
    rate.total = 100_000 * MiB;
    expect(after(0, 0)).to.match(/, 2h 46m left$/);
    rate.total = 105 * MiB;
    expect(after(0, 0)).to.match(/, 1s left$/);
    rate.total = 0;
    expect(rate.share).to.equal(1);
  });

  it('forgets how fast it was half a minute ago', () => {
    rate.total = 100_000 * MiB;
    for (let i = 0; i < 60; i++) after(1000, 100 * MiB);
    for (let i = 0; i < 40; i++) after(1000, MiB);
    expect(rate.text).to.match(/, 1\.00 MiB\/s, /);
  });

  it('is never negative, when bytes have to be transferred again', () => {
    expect(after(1000, -MiB)).to.match(/, 0 B\/s$/);
    expect(rate.share).to.equal(0);
  });
});

describe('TransferProgress', () => {
  it('writes a line now and then where there is no terminal', async () => {
    const lines: string[] = [];
    const two = deferred();
    const say = (text: string): void => void (lines.push(text) === 2 && two.resolve());
    const progress = new TransferProgress({ terminal: undefined, say }, { verb: 'copied', everyMs: 5 });
    progress.begin('finding out');
    progress.setTotal(10 * MiB);
    progress.add(5 * MiB);
    // Its timer keeps no process running.
    const keepRunning = setInterval(() => undefined, 1000);
    await two.promise;
    clearInterval(keepRunning);
    progress.stop();
    expect(lines[0]).to.match(/^copied: 5\.00 MiB of 10\.0 MiB, .*\/s, .* left\n$/);
  });

  it('draws a bar on a terminal, and leaves nothing there', () => {
    let shown = '';
    const terminal = (text: string): void => void (shown += text);
    const progress = new TransferProgress({ terminal, say: undefined }, { verb: 'copied' });
    progress.begin('finding out');
    progress.add(5 * MiB);
    progress.setTotal(10 * MiB);
    progress.setTotal(20 * MiB);
    progress.stop();
    progress.stop();
    expect(shown).to.match(/^\rfinding out\x1b\[K/);
    expect(shown).to.match(/\[={12}-{12}\] 50%, 5\.00 MiB of 10\.0 MiB/);
    expect(shown).to.match(/\[={6}-{18}\] 25%, 5\.00 MiB of 20\.0 MiB/);
    expect(shown).to.match(/\r\x1b\[K$/);
  });
});
