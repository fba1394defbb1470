import { expect } from 'chai';
import { StoreError } from '../../../src/core/errors.js';
import { Base64Decoder, encodeBase64, encodedLength } from '../../../src/frontends/http/base64.js';
import { inChunks, seededBytes } from '../../support/objects.js';

describe('base64 in pieces', () => {
  it('is what it would be as a whole, wherever it is cut', async () => {
    for (const size of [0, 1, 2, 3, 4, 100, 101, 102]) {
      const bytes = seededBytes(size, 'base64');
      for (const chunkSize of [1, 2, 3, 5, 64]) {
        let text = '';
        for await (const piece of encodeBase64(inChunks(bytes, chunkSize))) text += piece;
        expect(text).to.equal(bytes.toString('base64'));
        expect(text).to.have.length(encodedLength(size));
        const decoder = new Base64Decoder();
        const decoded: Buffer[] = [];
        for (let at = 0; at < text.length; at += chunkSize) decoded.push(decoder.push(text.slice(at, at + chunkSize)));
        decoder.end();
        expect(Buffer.concat(decoded).equals(bytes)).to.equal(true);
      }
    }
  });

  for (const pieces of [
    ['QQ==', 'QUJD'],
    ['QQ=', '=', 'Q'],
    ['QUJ'],
    ['QU', 'J'],
    ['Q-JD'],
    ['QU\nJD'],
    ['=QQQ'],
    ['Q==='],
  ]) {
    it(`is refused where it is none: ${JSON.stringify(pieces)}`, () => {
      const decoder = new Base64Decoder();
      expect(() => {
        for (const piece of pieces) decoder.push(piece);
        decoder.end();
      }).to.throw(StoreError, 'invalid Data');
    });
  }
});
