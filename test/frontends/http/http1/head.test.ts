import { expect } from 'chai';
import { METHODS } from 'node:http';
import { HeadReader } from '../../../../src/frontends/http/http1/head-reader.js';
import { BadRequest, checkStart, parseHead, type RequestHead } from '../../../../src/frontends/http/http1/head.js';

/** A request's head with these lines. */
function parse(...lines: string[]): RequestHead {
  return parseHead(lines.join('\r\n'));
}

function statusOf(work: () => unknown): number | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof BadRequest) return error.status;
    throw error;
  }
}

describe('The head of an HTTP/1.1 request', () => {
  it('has its method, target, and fields by their lower-case names', () => {
    const { method, target, headers } = parse(
      'GET /a?b HTTP/1.1',
      'Host: x',
      'RANGE:bytes=1-2',
      'X-Empty:',
      'A: \t b\tc  ',
    );
    expect({ method, target }).to.deep.equal({ method: 'GET', target: '/a?b' });
    expect({ ...headers }).to.deep.equal({ host: 'x', range: 'bytes=1-2', 'x-empty': '', a: 'b\tc' });
  });

  it('has the values of repeated fields in one', () => {
    expect(parse('GET / HTTP/1.1', 'Host: x', 'A: 1', 'a: 2').headers['a']).to.equal('1, 2');
  });

  it('has only fields that were sent, whatever they are called', () => {
    const { headers } = parse('GET / HTTP/1.1', 'Host: x', '__proto__: y', 'constructor: z');
    expect(headers['toString']).to.equal(undefined);
    expect(Object.keys(headers)).to.deep.equal(['host', '__proto__', 'constructor']);
  });

  it('tells the length of the body', () => {
    expect(parse('PUT / HTTP/1.1', 'Host: x', 'Content-Length: 12').length).to.equal(12);
    expect(parse('PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: Chunked').length).to.equal(undefined);
    expect(parse('PUT / HTTP/1.1', 'Host: x').length).to.equal(0);
  });

  it('tells whether the connection stays', () => {
    const keepAlive = (...lines: string[]): boolean => parse(...lines).keepAlive;
    expect(keepAlive('GET / HTTP/1.1', 'Host: x')).to.equal(true);
    expect(keepAlive('GET / HTTP/1.1', 'Host: x', 'Connection: keep-alive')).to.equal(true);
    expect(keepAlive('GET / HTTP/1.1', 'Host: x', 'Connection: TE, Close')).to.equal(false);
    expect(keepAlive('GET / HTTP/1.0')).to.equal(false);
    expect(keepAlive('GET / HTTP/1.0', 'Connection: keep-alive')).to.equal(false);
  });

  it('tells whether the client asks before it sends', () => {
    expect(parse('PUT / HTTP/1.1', 'Host: x', 'Expect: 100-Continue').asksFirst).to.equal(true);
    expect(parse('PUT / HTTP/1.1', 'Host: x').asksFirst).to.equal(false);
    expect(parse('PUT / HTTP/1.0', 'Expect: 100-continue').asksFirst).to.equal(false);
    expect(statusOf(() => parse('PUT / HTTP/1.1', 'Host: x', 'Expect: wonders'))).to.equal(417);
  });

  it('may have any method that HTTP has, but CONNECT', () => {
    for (const method of METHODS) {
      expect(
        statusOf(() => parse(`${method} / HTTP/1.1`, 'Host: x')),
        method,
      ).to.equal(method === 'CONNECT' ? 400 : undefined);
    }
  });

  const bad: Readonly<Record<string, readonly string[]>> = {
    'no target': ['GET HTTP/1.1', 'Host: x'],
    'two spaces': ['GET  / HTTP/1.1', 'Host: x'],
    'a space at the end': ['GET / HTTP/1.1 ', 'Host: x'],
    'a space in front': [' GET / HTTP/1.1', 'Host: x'],
    'a target with a space': ['GET /a b HTTP/1.1', 'Host: x'],
    'a target that is not ASCII': ['GET /\xe4 HTTP/1.1', 'Host: x'],
    'a version of HTTP/0.9': ['GET /'],
    'a version of HTTP/2': ['GET / HTTP/2.0', 'Host: x'],
    'a version in small letters': ['GET / http/1.1', 'Host: x'],
    'no host': ['GET / HTTP/1.1'],
    'two hosts': ['GET / HTTP/1.1', 'Host: x', 'Host: x'],
    'a field without a colon': ['GET / HTTP/1.1', 'Host: x', 'abc'],
    'a space before the colon': ['GET / HTTP/1.1', 'Host : x'],
    'a folded field': ['GET / HTTP/1.1', 'Host: x', ' y'],
    'a field without a name': ['GET / HTTP/1.1', 'Host: x', ': y'],
    'a name that is not ASCII': ['GET / HTTP/1.1', 'Host: x', '\xe4: y'],
    'a NUL': ['GET / HTTP/1.1', 'Host: x', 'A: b\0'],
    'a DEL': ['GET / HTTP/1.1', 'Host: x', 'A: b\x7f'],
    'a bare CR': ['GET / HTTP/1.1', 'Host: x', 'A: b\rc'],
    'a bare LF': ['GET / HTTP/1.1', 'Host: x', 'A: b\nc'],
    'an empty line that is none': ['GET / HTTP/1.1', 'Host: x', ''],
    'a length and chunks': ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1', 'Transfer-Encoding: chunked'],
    'chunks in HTTP/1.0': ['PUT / HTTP/1.0', 'Transfer-Encoding: chunked'],
    'another coding': ['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: gzip, chunked'],
    'a space that is none around the coding': ['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: \xa0chunked'],
    'a tab behind the coding': ['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked\t'],
    'a tab behind a length': ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1\t'],
    'a target that is neither path nor URI': ['GET a/b HTTP/1.1', 'Host: x'],
    'two lengths': ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1', 'Content-Length: 1'],
    'a length that is no number': ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1_0'],
    'a length with a fraction': ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1.0'],
    'a length beyond counting': ['PUT / HTTP/1.1', 'Host: x', `Content-Length: ${'9'.repeat(16)}`],
  };
  for (const [what, lines] of Object.entries(bad)) {
    it(`is refused with ${what}`, () => {
      expect(statusOf(() => parse(...lines))).to.equal(400);
    });
  }

  it('takes no longer to refuse than it is long', function () {
    // A pattern that tries all ways to divide this would not end within the test's time.
    this.timeout(2000);
    const spaces = `${' \t'.repeat(1_000_000)}\0`;
    expect(statusOf(() => parse('GET / HTTP/1.1', `Host: x${spaces}`))).to.equal(400);
    expect(statusOf(() => parse('GET / HTTP/1.1', `Host:${spaces}`))).to.equal(400);
    expect(statusOf(() => checkStart(`GET / HTTP/1.1\r\nHost: x${spaces}`))).to.equal(400);
  });

  it('that has come in part is refused as soon as it can not be one', () => {
    for (const start of ['', 'G', 'GET / HTTP/1.1\r', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nA: \xe4\t']) {
      expect(
        statusOf(() => checkStart(start)),
        JSON.stringify(start),
      ).to.equal(undefined);
    }
    for (const start of ['\x16\x03\x01', 'GET / HTTP/1.1\n', '\n', 'GET /\r\rx', 'GET /\0']) {
      expect(
        statusOf(() => checkStart(start)),
        JSON.stringify(start),
      ).to.equal(400);
    }
  });

  it('is read, or too large, in all the same ways behind empty lines, wherever it is cut', () => {
    const fields = `\r\nHost: x\r\nX-A: ${'a'.repeat(80)}\r\nContent-Length: 5`;
    for (const emptyLines of [0, 1, 2, 50, 500]) {
      const bytes = Buffer.from(`${'\r\n'.repeat(emptyLines)}PUT / HTTP/1.1${fields}\r\n\r\nhello`);
      const length = bytes.length - '\r\n'.length * emptyLines - 'hello'.length;
      for (const maxBytes of [length, length - 1]) {
        for (let cut = 0; cut < bytes.length - 'hello'.length; cut++) {
          const reader = new HeadReader();
          const read = (): RequestHead | undefined => {
            if (reader.read(bytes, 0, cut, maxBytes) !== undefined) throw new Error('it is there too early');
            expect(reader.taken).to.equal(cut);
            const head = reader.read(bytes, cut, bytes.length, maxBytes);
            expect(cut + reader.taken).to.equal(bytes.length - 'hello'.length);
            return head;
          };
          const where = `${emptyLines} empty lines, cut at ${cut}, of at most ${maxBytes}`;
          if (maxBytes === length) expect(read(), where).to.deep.include({ method: 'PUT', length: 5 });
          else expect(statusOf(read), where).to.equal(431);
        }
      }
    }
  });
});
