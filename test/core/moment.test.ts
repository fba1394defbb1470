import { expect } from 'chai';
import fc from 'fast-check';
import { formatMoment, parseMoment } from '../../src/core/moment.js';

const nowMs = Date.parse('2026-11-29T12:34:56.789Z');

describe('a moment', () => {
  const good: Readonly<Record<string, string>> = {
    '2026-11-01': '2026-11-01T00:00:00.000Z',
    '2026-11-01T00:00Z': '2026-11-01T00:00:00.000Z',
    '2026-11-01t21:05z': '2026-11-01T21:05:00.000Z',
    '2026-11-01T21:05:59Z': '2026-11-01T21:05:59.000Z',
    '2026-11-01T21:05:59.25Z': '2026-11-01T21:05:59.250Z',
    '2026-11-01T21:05:59.001999999Z': '2026-11-01T21:05:59.001Z',
    '2026-11-01T00:30+01:00': '2026-10-31T23:30:00.000Z',
    '2026-11-01T00:30-09:30': '2026-11-01T10:00:00.000Z',
    '2028-02-29': '2028-02-29T00:00:00.000Z',
    '0001-01-01': '0001-01-01T00:00:00.000Z',
    '2100-01-01': '2100-01-01T00:00:00.000Z',
    '3d': '2026-11-26T12:34:00.000Z',
    '12h': '2026-11-29T00:34:00.000Z',
    '90m': '2026-11-29T11:04:00.000Z',
    '0m': '2026-11-29T12:34:00.000Z',
  };
  for (const [text, meaning] of Object.entries(good)) {
    it(`may be written ${text}`, () =>
      expect(new Date(parseMoment(text, nowMs) ?? NaN).toISOString()).to.equal(meaning));
  }

  const bad = [
    '',
    '2026-11-01T00:00',
    '2026-11-01 00:00Z',
    '2026-11-1',
    '2026-13-01',
    '2026-02-30',
    '2027-02-29',
    '2026-11-01T24:00Z',
    '2026-11-01T00:60Z',
    '2026-11-01T00:00:60Z',
    '2026-11-01T00Z',
    '2026-11-01Z',
    '2026-11-01T00:00+0100',
    '2026-11-01T00:00+24:00',
    '2026-11-01T00:00+00:60',
    '20261101',
    '1793491200000',
    '3',
    'd',
    '-3d',
    '+3d',
    '3.5d',
    '3 d',
    '3d ',
    '3d12h',
    '3w',
    '3s',
    '1234567d',
    'now',
    '2026-11-01T00:00Z\n',
    '２０２６-11-01',
    '__proto__',
  ];
  for (const text of bad) {
    it(`is not ${JSON.stringify(text)}`, () => expect(parseMoment(text, nowMs)).to.equal(undefined));
  }

  it('is read back as it is printed', () => {
    const time = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
    fc.assert(
      fc.property(time, (date) => {
        expect(parseMoment(formatMoment(date.getTime()), nowMs)).to.equal(date.getTime());
      }),
    );
    expect(formatMoment(Date.parse('2026-11-01T00:00Z'))).to.equal('2026-11-01T00:00Z');
    expect(formatMoment(Date.parse('2026-11-01T00:00:05Z'))).to.equal('2026-11-01T00:00:05Z');
  });
});
