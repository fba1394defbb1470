import { expect } from 'chai';
import fc from 'fast-check';
import { packets, splitEvenly } from '../../../src/backends/sftp/packets.js';

const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });

describe('packets', () => {
  it('have all bytes in order, none more than may be, and are as few as can be', () => {
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 500 }), (list, most) => {
        const whole = Buffer.concat(list);
        const made = packets(list, most);
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
