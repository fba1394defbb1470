import { expect } from 'chai';
import type { WritableFile } from '../../../src/backends/files/file-system.js';
import { FileWriter } from '../../../src/backends/files/file-writer.js';

const KiB = 1024;
const chunk = Buffer.alloc(512 * KiB);

/** Lets everything happen that waits for nothing but the event loop. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A file that records its calls. They take one turn of the event loop; `syncAhead` takes until `endSync`. */
class NotingFile implements WritableFile {
  readonly notes: string[] = [];
  fails: string | undefined;
  endSync = (): void => undefined;
  syncsAhead = 0;

  /** How many it was given in all. */
  chunks = 0;

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    this.chunks += chunks.length;
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    await this.note(`write ${bytes / KiB} KiB`);
  }

  sync(): Promise<void> {
    return this.note('sync');
  }

  async syncAhead(): Promise<void> {
    this.syncsAhead += 1;
    await new Promise<void>((resolve) => (this.endSync = resolve));
    await this.note('sync ahead');
  }

  close(): Promise<void> {
    return this.note('close');
  }

  private async note(what: string): Promise<void> {
    this.notes.push(what);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.fails === what) throw new Error(`${what} failed`);
  }
}

describe('FileWriter', () => {
  let file: NotingFile;
  let writer: FileWriter;

  beforeEach(() => start(true));

  function start(durable: boolean): void {
    file = new NotingFile();
    writer = new FileWriter(() => Promise.resolve(file), durable);
  }

  async function write(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await writer.write(chunk);
  }

  it('keeps no empty chunks', async () => {
    for (let i = 0; i < 1000; i++) expect(writer.write(Buffer.alloc(0))).to.equal(undefined);
    await writer.write(chunk);
    await writer.end();
    expect(file.chunks).to.equal(1);
  });

  const messageOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );

  it('writes small chunks together, syncs and closes', async () => {
    for (let i = 0; i < 10; i++) {
      const waiting = writer.write(chunk.subarray(0, 200 * KiB));
      expect(waiting === undefined, `chunk ${i}`).to.equal(i % 3 < 2);
      await waiting;
    }
    await writer.end();
    expect(file.notes).to.deep.equal([
      'write 600 KiB',
      'write 600 KiB',
      'write 600 KiB',
      'write 200 KiB',
      'sync',
      'close',
    ]);
  });

  it('creates no file if there is nothing to write', async () => {
    await writer.end();
    await writer.abort();
    expect(file.notes).to.deep.equal([]);
  });

  it('starts a sync after every 2 MiB, one at a time, and waits for it before the last one', async () => {
    await write(9);
    expect(file.syncsAhead).to.equal(1);
    await write(20);
    expect(file.syncsAhead, 'while the first one is running').to.equal(1);
    file.endSync();
    await turns();
    await write(1);
    expect(file.syncsAhead).to.equal(2);
    const ending = writer.end();
    await turns();
    expect(file.notes).to.not.include('sync');
    file.endSync();
    await ending;
    expect(file.notes.slice(-3)).to.deep.equal(['sync ahead', 'sync', 'close']);
  });

  it('starts none if the file is not durable, or has no syncAhead', async () => {
    start(false);
    await write(20);
    await writer.end();
    expect(file.syncsAhead).to.equal(0);
    expect(file.notes).to.not.include('sync');
    start(true);
    Object.defineProperty(file, 'syncAhead', { value: undefined });
    await write(20);
    await writer.end();
    expect(file.notes.slice(-2)).to.deep.equal(['sync', 'close']);
  });

  it('fails at the end if an earlier sync failed, even if the last one would not', async () => {
    file.fails = 'sync ahead';
    await write(9);
    file.endSync();
    await turns();
    await write(20);
    expect(file.syncsAhead, 'none is started after it').to.equal(1);
    expect(await messageOf(writer.end())).to.equal('sync ahead failed');
    expect(file.notes).to.not.include('close');
    await writer.abort();
    expect(file.notes.at(-1)).to.equal('close');
  });

  for (const what of ['write 512 KiB', 'sync', 'close']) {
    it(`closes once if this fails: ${what}`, async () => {
      file.fails = what;
      expect(await messageOf(write(3).then(() => writer.end()))).to.equal(`${what} failed`);
      await writer.abort();
      expect(file.notes.filter((each) => each === 'close')).to.have.length(1);
    });
  }

  it('aborts only when no write and no sync is in progress any more', async () => {
    await write(9);
    const aborting = writer.abort();
    await turns();
    expect(file.notes).to.not.include('close');
    file.endSync();
    await aborting;
    expect(file.notes.slice(-2)).to.deep.equal(['sync ahead', 'close']);
  });
});
