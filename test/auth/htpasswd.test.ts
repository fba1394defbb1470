import { expect } from 'chai';
import { bcryptCost, parseHtpasswd } from '../../src/auth/htpasswd.js';

const rest = 'N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
const hash = (cost = '10', kind = '2y'): string => `$${kind}$${cost}$${rest}`;

/** The problem with the only line of a file. */
function problemOf(line: string): string | undefined {
  const parsed = parseHtpasswd(line);
  return 'problems' in parsed ? parsed.problems.map(({ message }) => message).join() : undefined;
}

describe('parseHtpasswd', () => {
  it('takes the hashes that bcrypt programs write, and skips comments and empty lines', () => {
    const text = `# people\n\nann:${hash()}\r\nbob:${hash('04', '2a')}\n  \ncyd@example.org:${hash('15', '2b')} \n`;
    const parsed = parseHtpasswd(text);
    expect('entries' in parsed && Object.fromEntries(parsed.entries)).to.deep.equal({
      ann: hash(),
      bob: hash('04', '2a'),
      'cyd@example.org': hash('15', '2b'),
    });
  });

  it('skips a comment behind the hash', () => {
    const parsed = parseHtpasswd(`ann:${hash()}:of the web team, since 2024: all of it
`);
    expect('entries' in parsed && Object.fromEntries(parsed.entries)).to.deep.equal({ ann: hash() });
  });

  it('takes an empty file', () => {
    expect(parseHtpasswd('')).to.deep.equal({ entries: new Map() });
  });

  const refused: [string, string, RegExp][] = [
    ['SHA-1', 'ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', /SHA-1.*htpasswd -B/],
    ['apr1', 'ann:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', /apr1.*htpasswd -B/],
    ['crypt', 'ann:rqXexS6ZhobKA', /crypt.*htpasswd -B/],
    ['a password in the clear', 'ann:secret', /in the clear.*htpasswd -B/],
    ['SHA-512 of crypt', 'ann:$6$salt$abc', /crypt.*htpasswd -B/],
    ['another kind of bcrypt', `ann:${hash('10', '2x')}`, /only bcrypt.*htpasswd -B/],
    ['half a hash', `ann:${hash().slice(0, -1)}`, /isn't whole.*htpasswd -B/],
    ['a cost that takes too long', `ann:${hash('16')}`, /not 16.*htpasswd -B -C 10/],
    ['a cost that is none', `ann:${hash('03')}`, /not 3/],
    ['no hash', 'ann:', /only bcrypt/],
    ['no name', `:${hash()}`, /no name/],
    ['no colon', 'ann', /NAME:HASH/],
    ['the name of those who do not log in', `anonymous:${hash()}`, /"anonymous".*another name/],
    ['a name that a log could not carry', `a\u001bb:${hash()}`, /"a\\u001bb".*control characters/],
  ];
  for (const [what, line, text] of refused) {
    it(`refuses ${what}, and says what to do`, () => {
      expect(problemOf(line)).to.match(text);
    });
  }

  it('refuses a name that is there twice', () => {
    expect(problemOf(`ann:${hash()}\nann:${hash()}`)).to.match(/"ann" occurs twice/);
  });

  it('names every line that is wrong, and repeats no secret', () => {
    const parsed = parseHtpasswd(`ann:hunter2\nbob:${hash()}\n\ncyd:{SHA}hunter2`);
    expect('problems' in parsed && parsed.problems.map(({ line }) => line)).to.deep.equal([1, 4]);
    expect(JSON.stringify(parsed)).to.not.include('hunter2');
  });
});

describe('bcryptCost', () => {
  it('reads the cost', () => {
    expect(bcryptCost(hash('07'))).to.equal(7);
    expect(bcryptCost('secret')).to.equal(undefined);
  });
});
