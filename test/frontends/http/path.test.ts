import { expect } from 'chai';
import fc from 'fast-check';
import { StoreError } from '../../../src/core/errors.js';
import { isStoreName, parseStoreAddress } from '../../../src/core/store-name.js';
import { parseTarget, pathOf } from '../../../src/frontends/http/path.js';

/** What a target comes to: `STORE|API/PATH`, or the code of the error. */
function parsed(target: string): string {
  try {
    const { store, route } = parseTarget(target);
    return `${store}|${route.slice(1)}`;
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

const mac = 'ab'.repeat(32);

describe('The path of a request', () => {
  const good: Readonly<Record<string, string>> = {
    '/': '|',
    '/resources/packfiles': '|resources/packfiles',
    [`/resources/packfiles/${mac}`]: `|resources/packfiles/${mac}`,
    '/healthz': '|healthz',
    '/readyz': '|readyz',
    '/packfiles': '|packfiles',
    '/teams': 'teams|',
    '/teams/': 'teams|',
    '/teams/blue': 'teams/blue|',
    '/teams/blue/': 'teams/blue|',
    '/teams/blue/resources/states': 'teams/blue|resources/states',
    [`/teams/blue/resources/locks/${mac}`]: `teams/blue|resources/locks/${mac}`,
    '/teams/resources/resources': 'teams|resources/resources',
    '/%74eams/blue/resources/states': 'teams/blue|resources/states',
    '/teams/%72esources/states': 'teams|resources/states',
    '/teams?token=kgw_x': 'teams|',
    '/@3d': '@3d|',
    '/@3d/resources/states': '@3d|resources/states',
    '/teams/blue@2026-11-01T00:00Z': 'teams/blue@2026-11-01T00:00Z|',
    '/teams/blue@2026-11-01T00:00+01:00/resources/states': 'teams/blue@2026-11-01T00:00+01:00|resources/states',
    '/teams/blue%402026-11-01T00%3A00Z/states': 'teams/blue@2026-11-01T00:00Z|states',
    'http://gateway:9876/teams/blue/resources/states?x#y': 'teams/blue|resources/states',
    'http://gateway:9876': '|',
    '/resources/packfiles/': '|resources/packfiles/',
    '/resources//packfiles': '|resources//packfiles',
    '/resources/../resources': '|resources/../resources',
    '/resources/a%2fb%20c/%64': '|resources/a%2Fb%20c/d',
  };
  for (const [target, meaning] of Object.entries(good)) {
    it(`${target} is ${meaning}`, () => expect(parsed(target)).to.equal(meaning));
  }

  const noStores = [
    '//',
    '//teams',
    '/teams//blue',
    '/teams//',
    '/./teams',
    '/../teams',
    '/teams/../green',
    '/teams/%2e%2e/green',
    '/teams/..%2fgreen',
    '/teams%2Fblue',
    '/teams%2fblue/resources/states',
    '/%2fteams',
    '/teams%00',
    '/teams%0d%0ax',
    '/teams\\blue',
    '/Teams%20blue',
    '/*',
    '*',
    '/states@3d',
    '/.@3d',
    '/..@3d/teams',
    '/teams/@3d',
    '/teams//@3d',
    '/teams%2Fblue@3d',
    '/teams@3d%2F..%2Fblue',
    '/teams@3d/healthz',
    '/teams@3d/readyz',
    '/@3d/healthz',
    '/@3d//',
    'teams',
    '',
    `/${'a'.repeat(10_000)}`,
    `${'/a'.repeat(5000)}`,
  ];
  for (const target of noStores) {
    it(`${JSON.stringify(target.slice(0, 40))} is no store's`, () => expect(parsed(target)).to.equal('not_found'));
  }

  for (const target of ['/%', '/teams/%zz', '/%c0%ae%c0%ae/teams', '/teams/resources/%ff']) {
    it(`${target} is refused for its encoding`, () => expect(parsed(target)).to.equal('invalid_argument'));
  }

  it('gives back no name but a proper one, whatever is asked for, and fails with nothing else than an answer', () => {
    const piece = fc.constantFrom(
      '/',
      '//',
      '.',
      '..',
      '%2f',
      '%2e',
      '%00',
      '%',
      'a',
      'teams',
      'resources',
      '\\',
      '?',
      '@',
      '%40',
    );
    const target = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`),
      fc.string({ maxLength: 40 }),
    );
    fc.assert(
      fc.property(target, (each) => {
        const result = parsed(each);
        if (result === 'not_found' || result === 'invalid_argument') return;
        const { store } = parseTarget(each);
        expect(isStoreName(parseStoreAddress(store).name)).to.equal(true);
        // It is what the path starts with, decoded once.
        expect(decodeURIComponent(pathOf(each)).startsWith(`/${store}`)).to.equal(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('is logged without what may be secret in a target', () => {
    expect(pathOf('/teams/blue?token=kgw_secret')).to.equal('/teams/blue');
    expect(pathOf('/teams#kgw_secret')).to.equal('/teams');
    expect(pathOf('http://me:kgw_secret@gateway:9876/teams?kgw_secret')).to.equal('/teams');
    expect(pathOf('http://me:kgw_secret@gateway?x')).to.equal('/');
  });
});
