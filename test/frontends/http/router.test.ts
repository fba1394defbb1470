import { expect } from 'chai';
import fc from 'fast-check';
import { findRoute } from '../../../src/frontends/http/routes.js';
import { parsePath } from '../../../src/frontends/http/path.js';
import { Router } from '../../../src/frontends/http/router.js';
import { v11Routes } from '../../../src/frontends/http/v1-1.js';
import { withV10Routes } from '../../../src/frontends/http/v1-0.js';
import { randomMac } from '../../support/objects.js';

const routes = withV10Routes(v11Routes, { enabled: true, maxDocumentBytes: 1 });

/** What a target is about, without anything remembered. */
function anew(target: string): unknown {
  try {
    const { store, api } = parsePath(target);
    const match = findRoute(routes, api);
    return match && { store, ...match };
  } catch {
    return undefined;
  }
}

function found(router: Router, target: string): unknown {
  try {
    return router.find(target);
  } catch {
    return undefined;
  }
}

describe('Router', () => {
  it('finds an object of a folder that it knows as it found the first one', () => {
    const router = new Router(routes);
    for (const store of ['', '/teams/blue', '/blue']) {
      for (const resource of ['packfiles', 'states', 'locks']) {
        for (let i = 0; i < 3; i++) {
          const mac = randomMac();
          const { store: name, params, methods } = router.find(`${store}/resources/${resource}/${mac}`);
          expect({ name, params }).to.deep.equal({ name: store.slice(1), params: { resource, mac } });
          expect(methods).to.equal(v11Routes['/resources/:resource/:mac']);
        }
      }
    }
  });

  it('is not misled by what it remembers: a target is about the same as without', () => {
    const router = new Router(routes);
    const part = fc.constantFrom(
      '',
      '/',
      'blue',
      'teams',
      'resources',
      'packfiles',
      'states',
      'state',
      '..',
      '%2e',
      '?',
      '#',
      '%2F',
    );
    const mac = fc.constantFrom(
      'ab'.repeat(32),
      'AB'.repeat(32),
      'cd'.repeat(32),
      'ab'.repeat(31),
      `${'ab'.repeat(32)}?x`,
    );
    const target = fc
      .tuple(fc.array(part, { maxLength: 6 }), mac, fc.constantFrom('', 'http://gateway', '*'))
      .map(([parts, last, before]) => `${before}/${[...parts, last].join('/')}`);
    fc.assert(
      fc.property(target, (each) => {
        for (let again = 0; again < 2; again++) expect(found(router, each), each).to.deep.equal(anew(each));
      }),
      { numRuns: 2000 },
    );
  });

  it('finds nothing at a path of no API', () => {
    const router = new Router(routes);
    for (const target of ['/resources', '/state/x', '/resources/packfiles/a/b']) {
      expect(() => router.find(target), target).to.throw('no such path');
    }
  });
});
