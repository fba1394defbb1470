import { expect } from 'chai';
import fc from 'fast-check';
import { auditLine } from '../../src/observability/audit-line.js';
import type { AuditEntry } from '../../src/core/audit.js';

const entry: AuditEntry = {
  time: '2026-11-23T15:14:06.000Z',
  principal: 'web-1',
  address: '192.0.2.7',
  listener: 'lan',
  store: 'teams/blue',
  operation: 'put',
  kind: 'state',
  mac: '5a'.repeat(32),
  outcome: 'created',
  bytes: 3732,
};

/** Everything that is a control, a line separator, or changes the direction of text, or shows nothing. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;

describe('A line of the audit log', () => {
  it('is one JSON object, with what there is to say', () => {
    const line = auditLine(entry);
    expect(line.endsWith('}\n')).to.equal(true);
    expect(JSON.parse(line)).to.deep.equal(entry);
  });

  for (const [what, name] of Object.entries({
    'line ends': 'web-1"}\n{"principal":"admin',
    'line separators': 'web-1\u2028admin\u2029',
    'controls of terminals': '\u001b[2K\u001b]0;title\u0007web\u007f\u009b1A\u0085',
    'changes of direction': '\u202eadmin\u2066\u200f\u061c',
    'characters that show nothing': 'ad\u200bmin\ufeff\u{e0041}',
    'halves of characters': '\ud800web\udc00',
    'quotes and backslashes': '\\"\\u0000"',
  })) {
    it(`is one line that shows ${what} as what they are, and means the same`, () => {
      const line = auditLine({ ...entry, principal: name, reason: name });
      expect(line.slice(0, -1)).to.not.match(unsafe);
      expect(line).to.not.match(/\p{Surrogate}/u);
      expect(line).to.not.include('\u{e0041}');
      expect(JSON.parse(line)).to.deep.equal({ ...entry, principal: name, reason: name });
    });
  }

  it('leaves text of all languages readable', () => {
    expect(auditLine({ ...entry, principal: 'Zoë Müller, 山田, علي 🙂' })).to.include('Zoë Müller, 山田, علي 🙂');
  });

  it('cuts what is longer than anyone needs', () => {
    expect(auditLine({ ...entry, principal: 'x'.repeat(100_000) }).length).to.be.lessThan(1000);
  });

  it('is one safe line for whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (principal, reason) => {
        const line = auditLine({ ...entry, principal, reason });
        expect(line.indexOf('\n')).to.equal(line.length - 1);
        expect(line.slice(0, -1)).to.not.match(unsafe);
        expect(JSON.parse(line)).to.deep.equal({ ...entry, principal, reason });
      }),
    );
  });
});
