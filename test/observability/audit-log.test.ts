import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditLog } from '../../src/observability/audit-log.js';
import type { AuditEntry } from '../../src/core/audit.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';

function entry(number: number, reason = ''): AuditEntry {
  const time = '2026-11-23T15:14:06.000Z';
  const who = { principal: `p-${number}`, address: '192.0.2.7', listener: 'lan', store: '' };
  return { time, ...who, operation: 'put', outcome: 'created', reason };
}

describe('AuditLog', () => {
  let folder: string;
  let path: string;
  let log: AuditLog;
  let messages: { level: string; message: string; lost?: number }[];

  const logger = {
    error: (fields: object, message: string) => void messages.push({ level: 'error', message, ...fields }),
    warn: (fields: object, message: string) => void messages.push({ level: 'warn', message, ...fields }),
  };

  beforeEach(async () => {
    messages = [];
    folder = join(await tempFolder(), 'log');
    await mkdir(folder);
    path = join(folder, 'audit.log');
    log = await AuditLog.open(path, logger, { retryMs: 1 });
  });

  afterEach(async () => {
    await log.close();
  });

  /** The numbers of the entries in a file; throws if a line is incomplete. */
  async function numbersIn(file = path): Promise<number[]> {
    const lines = (await readFile(file, 'utf8')).split('\n');
    expect(lines.pop()).to.equal('');
    return lines.map((line) => Number((JSON.parse(line) as AuditEntry).principal.slice(2)));
  }

  const upTo = (count: number, from = 0): number[] => Array.from({ length: count - from }, (_, i) => from + i);

  it('makes a file that the owner and the group may read, and adds to one that is there', async () => {
    expect((await stat(path)).mode & 0o777 & ~0o640).to.equal(0);
    log.record(entry(0));
    await log.close();
    log = await AuditLog.open(path, logger);
    log.record(entry(1));
    await log.flush();
    expect(await numbersIn()).to.deep.equal([0, 1]);
  });

  it('names the gateway in each line where it has a name, so that those of replicas can be put together', async () => {
    await log.close();
    log = await AuditLog.open(path, logger, { instance: 'gateway-1' });
    log.record(entry(0));
    await log.flush();
    const [line = ''] = (await readFile(path, 'utf8')).split('\n');
    expect(JSON.parse(line)).to.deep.equal({ ...entry(0), instance: 'gateway-1' });
  });

  it('passes entries that follow its close to its successor, and so does that one', async () => {
    const paths = ['a', 'b'].map((name) => join(folder, name));
    const [first, second] = await Promise.all(paths.map((each) => AuditLog.open(each, logger)));
    await first?.close(second);
    first?.record(entry(1));
    await second?.close(log);
    first?.record(entry(2));
    await log.flush();
    expect(await numbersIn(paths[0])).to.deep.equal([]);
    expect(await numbersIn(paths[1])).to.deep.equal([1]);
    expect(await numbersIn()).to.deep.equal([2]);
  });

  it('leaves the permissions of a file that is there alone', async () => {
    const other = join(folder, 'other.log');
    await writeFile(other, '', { mode: 0o600 });
    await (await AuditLog.open(other, logger)).close();
    expect((await stat(other)).mode & 0o777).to.equal(0o600);
  });

  it('fails at the start, with a message for the operator, if the file cannot be written', async () => {
    const error = await AuditLog.open(join(folder, 'none', 'audit.log'), logger).then(
      () => undefined,
      (caught: Error) => caught,
    );
    expect(error?.message).to.match(/^the audit log can't be written: ENOENT.*none\/audit\.log/);
  });

  it('has every entry in the order of recording, soon, and without being asked', async () => {
    for (const number of upTo(1000)) log.record(entry(number));
    await eventually(async () => (await numbersIn().catch(() => [])).length === 1000, 'all are written');
    expect(await numbersIn()).to.deep.equal(upTo(1000));
    for (const number of upTo(1100, 1000)) {
      log.record(entry(number));
      await Promise.resolve();
      if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(async () => (await numbersIn().catch(() => [])).length === 1100, 'the later ones are, too');
  });

  it('loses nothing at a stop', async () => {
    for (const number of upTo(5000)) log.record(entry(number));
    await log.close();
    expect(await numbersIn()).to.deep.equal(upTo(5000));
    expect(messages).to.deep.equal([]);
  });

  it('continues in a new file when it is reopened, with each entry in exactly one of them', async () => {
    let next = 0;
    const files: string[] = [];
    for (let turn = 0; turn < 5; turn++) {
      for (let i = 0; i < 200; i++) log.record(entry(next++));
      const moved = join(folder, `audit.log.${turn}`);
      files.push(moved);
      await rename(path, moved);
      for (let i = 0; i < 200; i++) log.record(entry(next++));
      await log.reopen();
      expect((await stat(path)).size).to.equal(0);
    }
    log.record(entry(next++));
    await log.flush();
    const all: number[] = [];
    for (const file of [...files, path]) all.push(...(await numbersIn(file)));
    expect(all).to.deep.equal(upTo(next));
    expect(await numbersIn()).to.deep.equal([next - 1]);
  });

  it('creates its file again after it was deleted', async () => {
    log.record(entry(0));
    await log.flush();
    await rm(path);
    log.record(entry(1));
    await log.flush();
    expect(await numbersIn()).to.deep.equal([1]);
    expect(messages).to.deep.equal([]);
  });

  it('says once that its folder is gone, and has everything when that is back', async () => {
    log.record(entry(0));
    await log.flush();
    await rename(folder, `${folder}.gone`);
    await rm(`${folder}.gone/audit.log`);
    for (const number of upTo(100, 1)) {
      log.record(entry(number));
      if (number % 20 === 0) await log.flush();
    }
    await log.flush();
    expect(messages.map(({ level }) => level)).to.deep.equal(['error']);
    expect(messages[0]?.message).to.include('requests go on without');
    await mkdir(folder);
    await eventually(async () => messages.length === 2, 'it can be written again');
    expect(messages[1]).to.include({ level: 'warn', lost: 0 });
    expect(await numbersIn()).to.deep.equal(upTo(100, 1));
  });

  it('keeps some of what waits for too long, and says how much is lost', async () => {
    await rm(folder, { recursive: true });
    const reason = 'x'.repeat(400);
    for (const number of upTo(30_000)) log.record(entry(number, reason));
    await log.flush();
    await mkdir(folder);
    await log.flush();
    const written = await numbersIn();
    expect(written).to.deep.equal(upTo(written.length));
    expect(messages.map(({ level }) => level)).to.deep.equal(['error', 'warn']);
    expect(messages[1]?.lost)
      .to.equal(30_000 - written.length)
      .and.to.be.greaterThan(0);
    expect(log.lost).to.equal(30_000 - written.length);
  });

  it('says at a stop how much is not in the file', async () => {
    await rm(folder, { recursive: true });
    for (const number of upTo(7)) log.record(entry(number));
    await log.close();
    expect(messages.map(({ level }) => level)).to.deep.equal(['error', 'error']);
    expect(messages[1]?.lost).to.equal(7);
  });

  describe('on a full disk', () => {
    let disk: string;

    beforeEach(async function () {
      disk = await tempFolder();
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]).status !== 0) {
        disk = '';
        return this.skip();
      }
      await log.close();
      path = join(disk, 'audit.log');
      log = await AuditLog.open(path, logger, { retryMs: 1 });
    });

    afterEach(async () => {
      await log.close();
      if (disk !== '') spawnSync('umount', ['--lazy', disk]);
    });

    it('logs it once, continues, and has whole lines when there is room again', async () => {
      const ballast = await open(join(disk, 'ballast'), 'w');
      await ballast.write(Buffer.alloc(40 * 1024));
      await ballast.close();
      for (const number of upTo(300)) {
        log.record(entry(number));
        if (number % 10 === 0) await log.flush();
      }
      expect(messages.map(({ level }) => level)).to.deep.equal(['error']);
      expect((await stat(path)).size).to.be.greaterThan(4096);
      await truncate(join(disk, 'ballast'));
      await log.flush();
      expect(await numbersIn()).to.deep.equal(upTo(300));
      expect(messages.map(({ level }) => level)).to.deep.equal(['error', 'warn']);
    });

    it('has whole lines in a new file, too, after one that was cut off in the old one', async () => {
      for (const number of upTo(1000)) log.record(entry(number));
      await log.flush();
      const moved = join(await tempFolder(), 'audit.log.1');
      await writeFile(moved, await readFile(path));
      await rm(path);
      await log.reopen();
      const old = (await readFile(moved, 'utf8')).split('\n');
      expect(old.pop()).to.not.equal('');
      const seen = old.map((line) => Number((JSON.parse(line) as AuditEntry).principal.slice(2)));
      const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
      const rest = lines.map((line) => Number((JSON.parse(line) as AuditEntry).principal.slice(2)));
      expect(rest.length).to.be.greaterThan(0);
      expect([...seen, ...rest]).to.deep.equal(upTo(seen.length + rest.length));
    });
  });
});
