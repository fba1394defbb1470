import { expect } from 'chai';
import { canceled, hasCode } from '../../../../src/core/errors.js';
import { RequestBody } from '../../../../src/frontends/http/http1/body.js';
import { Pace } from '../../../../src/frontends/pace.js';
import { seededBytes } from '../../../support/objects.js';

const KiB = 1024;
const MiB = 1024 * KiB;

describe('The body of a request over HTTP/1.1', () => {
  const pace = new Pace({ minRate: 0, stallMs: 60_000 });

  function read(body: RequestBody, received: (bytes: number) => void = () => undefined) {
    return body.read(pace.start(), received, () => undefined);
  }

  /** Bytes as chunks of this size. */
  function chunked(bytes: Buffer, size: number): Buffer {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
    }
    return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
  }

  /** Has a body take bytes as a socket brings them: where the body wants them, some at a time. Waits where the body is ahead. */
  async function bring(
    body: RequestBody,
    bytes: Buffer,
    readBytes: number,
    scratch = Buffer.alloc(64 * KiB),
  ): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      while (body.isAhead) await new Promise((resolve) => setImmediate(resolve));
      const room = body.room ?? scratch;
      const length = Math.min(room.length, readBytes, bytes.length - at);
      bytes.copy(room, 0, at, at + length);
      body.receive(room, 0, length);
      if (room === scratch) scratch.fill(0);
      at += length;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  const bytes = seededBytes(3 * MiB + 5, 'body');
  for (const [how, length, sent] of [
    ['with a length', bytes.length, bytes],
    ['in chunks of 32 KiB', undefined, chunked(bytes, 32 * KiB)],
    ['in one chunk', undefined, chunked(bytes, bytes.length)],
    ['in chunks of an odd size', undefined, chunked(bytes, 7919)],
  ] as const) {
    for (const readBytes of [1500, 40_000, 256 * KiB]) {
      it(`comes whole and in order, and is counted: ${how}, in reads of ${readBytes} bytes`, async () => {
        const body = new RequestBody(length, () => undefined);
        const bringing = bring(body, sent, readBytes);
        const got: Buffer[] = [];
        let received = 0;
        for await (const piece of read(body, (count) => (received += count))) {
          got.push(Buffer.from(piece));
        }
        await bringing;
        expect(Buffer.concat(got).equals(bytes)).to.equal(true);
        expect(received).to.equal(bytes.length);
        expect(body.isComplete).to.equal(true);
        // Large pieces, but for the first and the last.
        expect(got.slice(1, -1).every((piece) => piece.length >= 200 * KiB)).to.equal(true);
      });
    }
  }

  it('is over at once where there is none', async () => {
    const body = new RequestBody(0, () => undefined);
    expect(body.isComplete).to.equal(true);
    for await (const piece of read(body)) expect.fail(`a piece of ${piece.length}`);
  });

  it('gives the first bytes as they come, which may tell that the rest is not wanted', async () => {
    const body = new RequestBody(MiB, () => undefined);
    body.receive(Buffer.from('some bytes'), 0, 10);
    const first = await read(body).next();
    expect(String(first.value)).to.equal('some bytes');
  });

  it('leaves what follows it alone', () => {
    const body = new RequestBody(5, () => undefined);
    expect(body.receive(Buffer.from('helloGET /'), 0, 10)).to.equal(5);
  });

  it('is ahead when nobody asks for what came, and says when it is not any more', async () => {
    let wanted = 0;
    const body = new RequestBody(64 * MiB, () => wanted++);
    const memory = Buffer.alloc(64 * KiB);
    let came = 0;
    for (; !body.isAhead; came += memory.length) body.receive(memory, 0, memory.length);
    expect(came).to.be.within(64 * KiB, MiB);
    expect(wanted).to.equal(0);
    await read(body).next();
    expect(body.isAhead).to.equal(false);
    expect(wanted).to.equal(1);
  });

  it('fails as soon as it is cut off, also with pieces that nobody asked for', async () => {
    for (const early of [true, false]) {
      const body = new RequestBody(1000, () => undefined);
      if (early) body.fail(canceled());
      const next = read(body).next();
      if (!early) body.fail(canceled());
      expect(hasCode(await next.catch((error: unknown) => error), 'canceled')).to.equal(true);
    }
    const body = new RequestBody(1000, () => undefined);
    body.receive(Buffer.from('some bytes'), 0, 10);
    body.fail(canceled());
    expect(
      hasCode(
        await read(body)
          .next()
          .catch((error: unknown) => error),
        'canceled',
      ),
    ).to.equal(true);
  });

  it('is not cut off any more when all of it has come', async () => {
    const body = new RequestBody(5, () => undefined);
    body.receive(Buffer.from('hello'), 0, 5);
    body.fail(canceled());
    expect(String((await read(body).next()).value)).to.equal('hello');
  });

  it('fails where its chunks are none, and takes what follows for nothing else', async () => {
    const body = new RequestBody(undefined, () => undefined);
    const memory = Buffer.from('zz\r\nGET / HTTP/1.1\r\n\r\n');
    expect(body.receive(memory, 0, memory.length)).to.equal(memory.length);
    expect(body.isBroken).to.equal(true);
    expect(body.isComplete).to.equal(false);
    expect(body.receive(memory, 4, memory.length)).to.equal(memory.length);
    expect(
      hasCode(
        await read(body)
          .next()
          .catch((error: unknown) => error),
        'invalid_argument',
      ),
    ).to.equal(true);
  });

  it('that is dropped goes on to its end, keeps nothing, and fails for whoever reads it', async () => {
    let wanted = 0;
    const body = new RequestBody(10 * MiB, () => wanted++);
    const memory = Buffer.alloc(MiB);
    const next = read(body).next();
    body.drop();
    expect(wanted).to.equal(1);
    for (let i = 0; i < 10; i++) {
      expect(body.isAhead).to.equal(false);
      expect(body.room).to.equal(undefined);
      body.receive(memory, 0, memory.length);
    }
    expect(body.isComplete).to.equal(true);
    expect(hasCode(await next.catch((error: unknown) => error), 'canceled')).to.equal(true);
  });

  it('that is dropped gives nobody else the memory where its next bytes may still be put', async () => {
    const body = new RequestBody(10 * MiB, () => undefined);
    const start = Buffer.alloc(64 * KiB);
    body.receive(start, 0, start.length);
    const room = body.room as Buffer;
    body.receive(room, 0, 100_000);
    const next = body.room as Buffer;
    body.drop();
    const others = Array.from({ length: 10 }, () => {
      const other = new RequestBody(10 * MiB, () => undefined);
      other.receive(start, 0, start.length);
      return other.room as Buffer;
    });
    expect(others.some((other) => other.buffer === next.buffer)).to.equal(false);
  });
});
