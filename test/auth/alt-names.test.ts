import { expect } from 'chai';
import fc from 'fast-check';
import { parseAltNames, type AltName } from '../../src/auth/alt-names.js';

/** What Node writes for a certificate's names (src/crypto/crypto_common.cc, PrintGeneralName and PrintAltName). */
function asNode(names: readonly AltName[]): string {
  const safe = /^[ !#-&(-+\--[\]-~]*$/;
  return names
    .map(({ type, value }) => {
      if (safe.test(value)) return `${type}:${value}`;
      const escaped = value.replace(/["\\]/g, '\\$&').replace(/[^ -+\--~]/g, (c) => `\\u${hex(c)}`);
      return `${type}:"${escaped}"`;
    })
    .join(', ');
}

const hex = (c: string): string => c.charCodeAt(0).toString(16).padStart(4, '0');

describe('parseAltNames', () => {
  const texts: [string, string, string[]][] = [
    ['one name', 'DNS:a.example.org', ['DNS a.example.org']],
    ['several', 'DNS:a, URI:urn:b, email:c@example.org', ['DNS a', 'URI urn:b', 'email c@example.org']],
    ['types with a space', 'IP Address:192.0.2.1, DNS:a', ['IP Address 192.0.2.1', 'DNS a']],
    ['a name with another in it', 'DNS:"a\\u002c DNS:victim", DNS:b', ['DNS a, DNS:victim', 'DNS b']],
    ['a comma within quotes', 'DNS:"a, DNS:victim"', ['DNS a, DNS:victim']],
    ['a quote within quotes', 'DNS:"a\\", DNS:victim", DNS:b', ['DNS a", DNS:victim', 'DNS b']],
    ['a backslash at the end of quotes', 'DNS:"a\\\\", DNS:b', ['DNS a\\', 'DNS b']],
    ['a NUL', 'DNS:"victim\\u0000.example.org"', ['DNS victim\0.example.org']],
    ['an empty name', 'DNS:, DNS:b', ['DNS ', 'DNS b']],
    ['kinds nobody uses', 'othername:<unsupported>, DNS:b', ['othername <unsupported>', 'DNS b']],
  ];
  for (const [what, text, expected] of texts) {
    it(`reads ${what}`, () => {
      expect(parseAltNames(text)?.map(({ type, value }) => `${type} ${value}`)).to.deep.equal(expected);
    });
  }

  const unreadable = [
    '',
    'a',
    'DNS:a,DNS:b',
    'DNS:a, ',
    'DNS:a, b',
    'DNS:"a',
    'DNS:"a"b',
    'DNS:a"b"',
    'DNS:"\\x"',
    'DNS:"\\x", DNS:a',
  ];
  for (const text of unreadable) {
    it(`believes nothing of ${JSON.stringify(text)}`, () => {
      expect(parseAltNames(text)).to.equal(undefined);
    });
  }

  it('gives back exactly the names that are there, whatever is in them', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc
        .array(fc.constantFrom('"', '\\', ', ', ',', 'DNS:', 'URI:', 'victim', '\0', "'", ' '), { maxLength: 8 })
        .map((parts) => parts.join('')),
    );
    const name = fc.record({ type: fc.constantFrom('DNS', 'URI', 'email', 'IP Address', 'DirName'), value });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
        expect(parseAltNames(asNode(names))).to.deep.equal(names);
      }),
    );
  });
});
