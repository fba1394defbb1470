import { expect } from 'chai';
import { hasCode } from '../../../../src/core/errors.js';
import { Framing } from '../../../../src/frontends/http/http1/framing.js';

/** What a framing takes for the body, and what it leaves, of bytes that come in pieces of this size. */
function read(
  length: number | undefined,
  text: string,
  pieceBytes = text.length,
): { body: string; rest: string; isOver: boolean } {
  const framing = new Framing(length);
  const memory = Buffer.from(text, 'latin1');
  let body = '';
  let at = 0;
  while (at < memory.length && !framing.isOver) {
    const end = Math.min(memory.length, at + pieceBytes);
    at = framing.read(memory, at, end, (from, to) => (body += memory.toString('latin1', from, to)));
  }
  return { body, rest: memory.toString('latin1', at), isOver: framing.isOver };
}

describe('The framing of a body', () => {
  it('ends a body with its length, and leaves what follows alone', () => {
    expect(read(5, 'helloGET /')).to.deep.equal({ body: 'hello', rest: 'GET /', isOver: true });
    expect(read(0, 'GET /')).to.deep.equal({ body: '', rest: 'GET /', isOver: true });
    expect(read(10, 'hello')).to.deep.equal({ body: 'hello', rest: '', isOver: false });
  });

  const whole = '5\r\nhello\r\n00A;name="value";x\r\n, and more.\r\n0;last\r\nTrailer: yes\r\nOther:\r\n\r\nGET /';

  it('finds the bytes between the sizes of chunks, extensions and trailers, however they come', () => {
    const text = whole.replace('00A', '00b');
    for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes++) {
      expect(read(undefined, text, pieceBytes), `in pieces of ${pieceBytes}`).to.deep.equal({
        body: 'hello, and more.',
        rest: 'GET /',
        isOver: true,
      });
    }
  });

  it('is not over before the last line is', () => {
    const text = '5\r\nhello\r\n0\r\n\r\n';
    for (let length = 1; length < text.length; length++) {
      expect(read(undefined, text.slice(0, length)).isOver, `of ${length} bytes`).to.equal(false);
    }
    expect(read(undefined, text).isOver).to.equal(true);
  });

  const broken: Readonly<Record<string, string>> = {
    'no size': '\r\nhello\r\n',
    'a size that is no number': 'xyz\r\n',
    'a size with a sign': '+5\r\nhello\r\n0\r\n\r\n',
    'a size with 0x': '0x5\r\nhello\r\n0\r\n\r\n',
    'a space behind a size': '5 \r\nhello\r\n0\r\n\r\n',
    'a size beyond counting': `${'f'.repeat(13)}\r\n`,
    'a size ended by a bare LF': '5\nhello\r\n0\r\n\r\n',
    'a size ended by a bare CR': '5\rhello',
    'a chunk longer than its size': whole,
    'a chunk shorter than its size': '6\r\nhello\r\n0\r\n\r\n',
    'a chunk ended by a bare LF': '5\r\nhello\n0\r\n\r\n',
    'a chunk ended by a bare CR': '5\r\nhello\r0\r\n\r\n',
    'a bare CR in an extension': '5;a\rb\r\nhello\r\n0\r\n\r\n',
    'a bare LF in an extension': '5;a\nb\r\nhello\r\n0\r\n\r\n',
    'a NUL in an extension': '5;a\0\r\nhello\r\n0\r\n\r\n',
    'an extension without a name': '5;=a\r\nhello\r\n0\r\n\r\n',
    'an extension with two values': '5;a=b=c\r\nhello\r\n0\r\n\r\n',
    'an extension whose quotes have no end': '5;a="b\r\nhello\r\n0\r\n\r\n',
    'a trailer without a colon': '0\r\nabc\r\n\r\n',
    'a trailer without a name': '0\r\n: b\r\n\r\n',
    'extensions without an end': `5;${'x'.repeat(10_000)}`,
    'a bare LF in a trailer': '0\r\nA: b\n\r\n',
    'a bare CR behind the trailers': '0\r\n\rx',
    'trailers without an end': `0\r\n${'A: b\r\n'.repeat(10_000)}`,
    'a trailer without an end': `0\r\n${'x'.repeat(10_000)}`,
  };
  for (const [what, text] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      let error: unknown;
      try {
        read(undefined, text);
      } catch (caught) {
        error = caught;
      }
      expect(hasCode(error, 'invalid_argument'), String(error)).to.equal(true);
    });
  }
});
