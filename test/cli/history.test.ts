import { expect } from 'chai';
import { Progress } from '../../src/cli/progress.js';
import { refOf, run, runJson, storeWithRemoval, UsedStore } from './support/undo.js';

interface History {
  readonly days: readonly { day: string; packfiles: { count: number } }[];
  readonly looksLikeRemoval: readonly { mac: string; before: string }[];
}

describe('history', () => {
  it('shows what arrived and went on each day, and marks what looks like a removal', async () => {
    const { path } = await storeWithRemoval();
    const { exitCode, stdout, stderr } = await run('history', path);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    const removal = refOf('state', 'removal').mac;
    expect(stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))).to.deep.equal([
      `${path}:`,
      'day (UTC) | packfiles | states | deleted packfiles | deleted states',
      '2026-01-01 | 1, 97.7 KiB | 1, 4.88 KiB | - | -',
      '2026-01-05 | 1, 97.7 KiB | 1, 4.88 KiB | - | -',
      '2026-01-10 | - | 1, 148 B | - | - | looks like a removal: 1',
      '2026-01-15 | 1, 97.7 KiB | 1, 4.88 KiB | - | -',
      '2026-01-20 | - | - | 1, 97.7 KiB | 1, 4.88 KiB',
      '',
      "States that look like removals of snapshots (plakar's maintenance puts such states, too):",
      'arrived | size | MAC of the state | the moment before',
      `2026-01-10T12:00:00Z | 148 B | ${removal} | 2026-01-10T11:59:59Z`,
      '',
      `To see what undoing them takes: kloset-gateway restore-states ${path} --as-of MOMENT`,
      '',
    ]);
    const { days, looksLikeRemoval } = await runJson<History>('history', path, '--since', '2026-01-10');
    expect(days.map(({ day }) => day)).to.deep.equal(['2026-01-10', '2026-01-15', '2026-01-20']);
    expect(looksLikeRemoval.map(({ before }) => before)).to.deep.equal(['2026-01-10T11:59:59Z']);
  });

  it('marks small states without packfiles, and tiny ones beside a backup, but no backups', async () => {
    const store = await UsedStore.create();
    const states = [
      ['tiny', '03:00:30', 216],
      ['backup', '03:00:05', 395],
      ['other', '03:00:06', 468],
      ['small', '04:00:00', 395],
      ['large', '05:00:00', 50_000],
    ] as const;
    await store.arrived('packfile', 'p', '2026-01-01T03:00:00Z');
    for (const [name, time, size] of states) await store.arrived('state', name, `2026-01-01T${time}Z`, size);
    const { looksLikeRemoval } = await runJson<History>('history', store.path);
    expect(looksLikeRemoval.map(({ mac }) => mac)).to.deep.equal(
      ['tiny', 'small'].map((name) => refOf('state', name).mac),
    );
  });

  it('of an empty store says so', async () => {
    const { path } = await UsedStore.create();
    expect((await run('history', path)).stdout).to.equal(`nothing arrived in ${path} and nothing went\n`);
  });
});

describe('progress', () => {
  it('is shown on a terminal once it takes long, now and then, and cleared at the end', () => {
    const written: string[] = [];
    let ms = 0;
    const progress = new Progress(
      (text) => written.push(text),
      () => ms,
    );
    for (let done = 1; done <= 150; done++) {
      ms += 10;
      progress.show('states looked at', done, 150);
    }
    progress.clear();
    expect(written).to.deep.equal([
      '\rstates looked at: 100 of 150\x1b[K',
      '\rstates looked at: 120 of 150\x1b[K',
      '\rstates looked at: 140 of 150\x1b[K',
      '\r\x1b[K',
    ]);
  });
});
