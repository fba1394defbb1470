import { expect } from 'chai';
import fc from 'fast-check';
import { fewer, Gatherer } from '../../src/frontends/gatherer.js';
import { seededBytes } from '../support/objects.js';

const KiB = 1024;

describe('Gatherer', () => {
  it('gives the same bytes in chunks of 256 KiB, whatever they come in, also where memory is used again', () => {
    const bytes = seededBytes(1000 * KiB, 'gathered');
    const sizes = fc.array(fc.integer({ min: 1, max: 400 * KiB }), { minLength: 1 });
    fc.assert(
      fc.property(sizes, (pieceSizes) => {
        const gatherer = new Gatherer();
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const piece = bytes.subarray(at, at + (pieceSizes[i % pieceSizes.length] ?? 1));
          at += piece.length;
          if (i % 2 === 0) gatherer.add(piece, chunks);
          else gatherer.add(piece, chunks, bytes.length - at);
        }
        gatherer.flush(chunks);
        gatherer.flush(chunks);
        expect(Buffer.concat(chunks).equals(bytes)).to.equal(true);
        expect(chunks.length).to.be.lessThan(10);
      }),
      { numRuns: 30 },
    );
  });
});

describe('Fewer pieces', () => {
  it('are the same bytes: small ones that follow each other as one, and each other as it was', () => {
    const bytes = seededBytes(200 * KiB, 'fewer');
    const [first, second, large, last] = [0, 10, 60 * KiB, 190 * KiB].map((at, i, all) =>
      bytes.subarray(at, all[i + 1] ?? bytes.length),
    ) as [Buffer, Buffer, Buffer, Buffer];
    const pieces = fewer([first, second, large, last]);
    expect(Buffer.concat(pieces).equals(bytes)).to.equal(true);
    expect(pieces).to.have.length(3);
    expect(pieces[1]).to.equal(large);
    expect(pieces[2]).to.equal(last);
    expect(fewer([])).to.deep.equal([]);
  });
});
