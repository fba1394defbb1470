import { expect } from 'chai';
import fc from 'fast-check';
import { Checksum } from '../../../src/backends/sftp/checksum.js';
import { packets, splitEvenly } from '../../../src/backends/sftp/packets.js';

const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });

async function* each(list: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const one of list) yield Promise.resolve(one);
}

/** The same bytes, cut elsewhere. */
function recut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

describe('packets', () => {
  it('have all bytes in order, none more than may be, and are as few as can be', () => {
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 500 }), (list, most) => {
        const whole = Buffer.concat(list);
        const made = [...packets(list, most)];
        expect(Buffer.concat(made).equals(whole)).to.equal(true);
        expect(made.length).to.equal(Math.ceil(whole.length / most) || 0);
        for (const packet of made) expect(packet.length).to.be.within(1, most);
      }),
    );
  });
});

describe('splitEvenly', () => {
  it('covers the whole without gaps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5_000_000 }), fc.integer({ min: 1000, max: 300_000 }), (length, most) => {
        let next = 0;
        for (const part of splitEvenly(length, most)) {
          expect(part.at).to.equal(next);
          expect(part.length).to.be.within(1, most);
          next += part.length;
        }
        expect(next).to.equal(length);
      }),
    );
  });
});

describe('a checksum', () => {
  it('knows its bytes again, however they are cut, also after it was asked before', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, chunks, fc.integer({ min: 1, max: 200 }), async (first, second, size) => {
        const checksum = new Checksum();
        for (const chunk of first) checksum.add(chunk);
        expect(await checksum.matches(each(recut(Buffer.concat(first), size)))).to.equal(true);
        for (const chunk of second) checksum.add(chunk);
        expect(await checksum.matches(each(recut(Buffer.concat([...first, ...second]), size)))).to.equal(true);
      }),
    );
  });

  it('finds a bit that is different, a byte that is missing and one too many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 500 }), fc.nat(), async (bytes, at) => {
        const checksum = new Checksum();
        checksum.add(bytes);
        const changed = Buffer.from(bytes);
        changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ 1;
        expect(await checksum.matches(each([changed]))).to.equal(false);
        expect(await checksum.matches(each([bytes.subarray(1)]))).to.equal(false);
        expect(await checksum.matches(each([bytes, Buffer.alloc(1)]))).to.equal(false);
        expect(await checksum.matches(each([bytes]))).to.equal(true);
      }),
    );
  });
});
