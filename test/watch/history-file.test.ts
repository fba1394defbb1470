import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { HistoryFile } from '../../src/watch/history-file.js';
import { History, lastDays } from '../../src/watch/history.js';
import type { Session } from '../../src/watch/session.js';
import { silent, type LogLine } from '../support/gateway.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';

const nowMs = Date.now();

function backup(more: Partial<Session> = {}): Session {
  return {
    store: 'blue',
    principal: 'web-1',
    address: '192.0.2.1',
    kind: 'backup',
    outcome: 'completed',
    startMs: nowMs - 1000,
    endMs: nowMs,
    newObjects: 3,
    newBytes: 100,
    deletedObjects: 0,
    checkpoints: 0,
    readBytes: 0,
    ...more,
  };
}

describe('HistoryFile', () => {
  let folder: string;

  beforeEach(async () => {
    folder = join(await tempFolder(), 'state');
  });

  const path = (): string => join(folder, 'sessions.jsonl');

  async function remembered(log = silent): Promise<History> {
    const history = new History();
    await (await HistoryFile.open(folder, history, log)).close();
    return history;
  }

  /** Adds sessions as the watch does. */
  async function add(sessions: readonly Session[], options = {}): Promise<History> {
    const history = new History();
    const file = await HistoryFile.open(folder, history, silent, options);
    for (const session of sessions) {
      history.add({ session });
      file.append({ session });
    }
    await file.close();
    return history;
  }

  it('keeps sessions over a restart, in a folder that only its owner can read', async () => {
    await add([backup(), backup({ outcome: 'failed', reason: 'the disk is full' })]);
    const history = await remembered();
    expect(history.sessions.map(({ outcome }) => outcome)).to.deep.equal(['failed', 'completed']);
    const pair = history.of('blue', 'web-1');
    expect(pair.backups).to.have.length(1);
    expect(pair.failure).to.include({ reason: 'the disk is full' });
    expect(lastDays(pair, nowMs).at(-1)).to.deep.equal({ completed: 1, failed: 1, bytes: 200 });
    expect((await stat(folder)).mode & 0o777).to.equal(0o700);
    expect((await stat(path())).mode & 0o777).to.equal(0o600);
  });

  it('counts each session once, however often the file is written anew', async () => {
    for (let i = 0; i < 3; i++)
      await add(
        Array.from({ length: 50 }, () => backup()),
        { maxAppended: 1000 },
      );
    const pair = (await remembered()).of('blue', 'web-1');
    expect(lastDays(pair, nowMs).at(-1)).to.deep.equal({ completed: 150, failed: 0, bytes: 15_000 });
  });

  it('does not grow with the number of sessions', async () => {
    await add(Array.from({ length: 300 }, () => backup()));
    await remembered();
    const { size } = await stat(path());
    await add(
      Array.from({ length: 3000 }, () => backup()),
      { maxAppended: 20_000 },
    );
    await remembered();
    expect((await stat(path())).size).to.be.within(size - 1000, size + 1000);
  });

  it('forgets days that are over, and callers that have none left', async () => {
    const long = nowMs - 40 * 86_400_000;
    await add([backup({ endMs: long, principal: 'gone', kind: 'removal' }), backup({ endMs: long }), backup()]);
    await remembered();
    const history = await remembered();
    expect([...history.all()].map(({ principal }) => principal)).to.deep.equal(['web-1']);
    expect(Object.keys(history.of('blue', 'web-1').days)).to.have.length(1);
  });

  it('leaves out lines that are damaged, with a warning, and keeps the others', async () => {
    await add([backup()]);
    await appendFile(path(), `{"session": {"store": 1}}\n{"sess`);
    const lines: LogLine[] = [];
    const log = { ...silent, warn: (fields: object, message: string) => void lines.push({ fields, message } as never) };
    const history = await remembered(log);
    expect(history.sessions).to.have.length(1);
    expect(lines).to.have.length(1);
    expect((await readFile(path(), 'utf8')).split('\n').at(-2)).to.match(/\}$/);
  });

  it('says at the start that the folder cannot be used', async () => {
    await writeFile(folder, 'a file');
    const error = await HistoryFile.open(folder, new History(), silent).catch((thrown: unknown) => thrown);
    expect(String(error)).to.match(/state folder can't be used.*(EEXIST|ENOTDIR)/);
  });

  it('writes what was missed when the folder can be written again', async () => {
    const history = new History();
    const errors: string[] = [];
    const log = { ...silent, error: (_: object, message: string) => void errors.push(message) };
    const file = await HistoryFile.open(folder, history, log, { maxAppended: 0 });
    const append = (session: Session): void => {
      history.add({ session });
      file.append({ session });
    };
    append(backup());
    append(backup());
    await rm(folder, { recursive: true });
    append(backup());
    await eventually(async () => errors.length > 0, 'an error in the log');
    append(backup());
    await mkdir(folder);
    append(backup());
    await file.close();
    expect(errors).to.have.length(1);
    expect(errors[0]).to.match(/can't be kept/);
    expect((await remembered()).sessions).to.have.length(5);
  });
});
