import { expect } from 'chai';
import fc from 'fast-check';
import { parseAuthorization } from '../../src/auth/credentials.js';

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

describe('parseAuthorization', () => {
  const tokens: [string, string, string][] = [
    ['a bearer token', 'Bearer kgw_abc', 'kgw_abc'],
    ['a scheme in lower case', 'bearer kgw_abc', 'kgw_abc'],
    ['a scheme in upper case', 'BEARER kgw_abc', 'kgw_abc'],
    ['several spaces', 'Bearer   kgw_abc', 'kgw_abc'],
    ['every visible character', 'Bearer ~!"#,;:=', '~!"#,;:='],
  ];
  for (const [what, header, token] of tokens) {
    it(`reads ${what}`, () => {
      expect(parseAuthorization(header)).to.deep.equal({ scheme: 'bearer', token });
    });
  }

  const pairs: [string, string, string, string][] = [
    ['a name and a secret', `Basic ${base64('ann:secret')}`, 'ann', 'secret'],
    ['a scheme in lower case', `basic ${base64('ann:secret')}`, 'ann', 'secret'],
    ['a secret with colons', `Basic ${base64('ann:a:b:')}`, 'ann', 'a:b:'],
    ['an empty name', `Basic ${base64(':secret')}`, '', 'secret'],
    ['an empty secret', `Basic ${base64('ann:')}`, 'ann', ''],
    ['base64 without its padding', `Basic ${base64('ann:secret').replace(/=+$/, '')}`, 'ann', 'secret'],
    ['UTF-8', `Basic ${base64('änn:gehe\u{1F511}m')}`, 'änn', 'gehe\u{1F511}m'],
  ];
  for (const [what, header, name, secret] of pairs) {
    it(`reads ${what}`, () => {
      expect(parseAuthorization(header)).to.deep.equal({ scheme: 'basic', name, secret });
    });
  }

  const refused: [string, string][] = [
    ['an empty header', ''],
    ['a scheme alone', 'Bearer'],
    ['a scheme and a space', 'Bearer '],
    ['a token alone', 'kgw_abc'],
    ['another scheme', 'Digest username="ann"'],
    ['a scheme that only starts right', 'BearerX kgw_abc'],
    ['two tokens', 'Bearer kgw_abc kgw_def'],
    ['two headers in one', 'Bearer kgw_abc, Bearer kgw_def'],
    ['a space in front', ' Bearer kgw_abc'],
    ['a space at the end', 'Bearer kgw_abc '],
    ['a tab between', 'Bearer\tkgw_abc'],
    ['a token that is not ASCII', 'Bearer kgw_äbc'],
    ['a line break', 'Bearer kgw_abc\nBearer kgw_def'],
    ['basic without base64', 'Basic ann:secret'],
    ['basic without a colon', `Basic ${base64('ann')}`],
    ['basic with base64url', `Basic ${base64('ann:\u00bf\u00ff').replace(/\+/g, '-').replace(/\//g, '_')}~`],
    ['basic that is not UTF-8', `Basic ${base64(Buffer.from('ann:\xff', 'latin1'))}`],
  ];
  for (const [what, header] of refused) {
    it(`refuses ${what}`, () => {
      expect(parseAuthorization(header)).to.equal(undefined);
    });
  }

  it('gives back any name and secret', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, (anyName, secret) => {
        const name = anyName.replaceAll(':', '');
        const header = `Basic ${base64(`${name}:${secret}`)}`;
        expect(parseAuthorization(header)).to.deep.equal({ scheme: 'basic', name, secret });
      }),
    );
  });

  it('takes nothing but what was sent for a token, whatever the header', () => {
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.constantFrom('Bearer ', 'basic ', 'bearer', ''), fc.string()).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(header, (value) => {
        const found = parseAuthorization(value);
        if (found?.scheme !== 'bearer') return;
        expect(found.token).to.match(/^[!-~]+$/);
        expect(value.slice(0, 7).toLowerCase()).to.equal('bearer ');
        expect(value.slice(6).trimStart()).to.equal(found.token);
      }),
    );
  });
});
