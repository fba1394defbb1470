import { expect } from 'chai';
import fc from 'fast-check';
import { newRef } from '../support/objects.js';
import { ask, type Answer } from './support/raw-http.js';
import { authorization, escapes, keptIn, others, own, startTenants, type Tenants } from './support/tenants.js';

/** The forms in which a path's start can be written, up to the store's name. */
const starts = ['/', 'http://gateway/', 'http://blue:secret@gateway/', 'https://elsewhere:1/'];

describe('A principal of one of many stores, through HTTP,', function () {
  this.timeout(60_000);
  let tenants: Tenants;
  let untouched: Record<string, unknown>;

  before(async () => {
    tenants = await startTenants();
    untouched = await tenants.printsOfOthers();
  });

  after(() => tenants.gateway.close());

  afterEach('nothing of the others has changed', async () => {
    expect(await tenants.printsOfOthers()).to.deep.equal(untouched);
  });

  const http = (method: string, path: string, bytes = keptIn(own)): Promise<Answer> => {
    const body = method === 'PUT' ? bytes : Buffer.alloc(0);
    const headers = { authorization, 'Content-Length': String(body.length) };
    return ask(tenants.gateway.httpPort, method, path, headers, body);
  };

  for (const name of escapes) {
    it(`gets nothing of another one by writing ${JSON.stringify(name)}`, async () => {
      const { ref } = tenants;
      for (const start of starts) {
        const base = start + name;
        for (const [method, path] of [
          ['GET', base],
          ['GET', `${base}/resources/packfiles`],
          ['GET', `${base}/resources/packfiles/${ref.mac}`],
          ['HEAD', `${base}/resources/packfiles/${ref.mac}`],
          ['PUT', `${base}/resources/packfiles/${newRef('packfile').mac}`],
          ['DELETE', `${base}/resources/packfiles/${ref.mac}`],
          ['GET', `${base}/packfiles`],
        ] as const) {
          const { status, body } = await http(method, path);
          expect(status, `${method} ${path}`).to.be.oneOf([400, 403, 404]);
          expect(body.toString()).to.not.include('kept in the store');
          expect(body.toString()).to.not.include(ref.mac);
        }
      }
    });
  }

  it('gets nothing of another one by the name of a host, or by what is behind a path', async () => {
    const path = `/resources/packfiles/${tenants.ref.mac}`;
    const { httpPort } = tenants.gateway;
    for (const host of ['teams/green', 'gateway/teams/green', 'teams']) {
      expect((await ask(httpPort, 'GET', path, { authorization, Host: host })).status).to.be.oneOf([400, 403]);
    }
    for (const suffix of [
      '?store=teams/green',
      '?/../../../green',
      '#/../teams/green',
      '?x=http://gateway/teams/green',
    ]) {
      const { status, body } = await http('GET', `/${own}${path}${suffix}`);
      expect(status, suffix).to.equal(200);
      expect(body.equals(keptIn(own)), suffix).to.equal(true);
    }
  });

  it('has its own in all ways to write it', async () => {
    const { ref } = tenants;
    for (const name of [own, 'teams/%62lue', '%74eams/blue', `teams/blue`]) {
      for (const start of starts) {
        const { status, body } = await http('GET', `${start}${name}/resources/packfiles/${ref.mac}`);
        expect(status, start + name).to.equal(200);
        expect(body.equals(keptIn(own)), start + name).to.equal(true);
        expect((await http('GET', `${start}${name}`)).status).to.equal(200);
        expect((await http('GET', `${start}${name}/`)).status).to.equal(200);
      }
    }
  });

  it('touches its own store or none, whatever the path', async () => {
    const { ref } = tenants;
    const parts = [...new Set([own, ...others].flatMap((name) => name.split('/')))];
    const tricks = ['', '.', '..', '%2e%2e', '%2E.', '%2f', '..%2fgreen', 'teams%2fgreen', 'blue%00', '\\', '%74eams'];
    const segment = fc.constantFrom(
      ...parts,
      ...tricks,
      'BLUE',
      'blue;x',
      'resources',
      'packfiles',
      'packfile',
      'config',
    );
    const name = fc.oneof(
      fc.constant(own),
      fc.array(segment, { maxLength: 6 }).map((all) => all.join('/')),
    );
    const behind = fc.constantFrom('', '/', '/resources/packfiles', '/resources/packfiles/../packfiles', '/packfiles');
    const methods = fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE');
    const macs = fc.constantFrom('', `/${ref.mac}`, `/${newRef('packfile').mac}`, `/${ref.mac}?store=teams/green`);
    let successes = 0;
    const tried = fc.tuple(methods, fc.constantFrom(...starts, '//', '/./'), name, behind, macs);
    await fc.assert(
      fc.asyncProperty(tried, async ([method, ...path]) => {
        const { status, body } = await http(method, path.join(''));
        expect(status).to.be.oneOf([200, 400, 403, 404, 405, 409]);
        if (status === 200) successes++;
        expect(body.toString().replace(keptIn(own).toString(), '')).to.not.include('kept in');
        // What it may delete is put back, so that there is something to find.
        if (method === 'DELETE' && status === 200) await http('PUT', `/${own}/resources/packfiles/${ref.mac}`);
      }),
      { numRuns: 500 },
    );
    expect(successes).to.be.above(10);
  });
});
