import { expect } from 'chai';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import type { AdminRequest } from '../../../src/core/admin-access-control.js';
import { StoreError, type ErrorCode } from '../../../src/core/errors.js';
import { ServedAdmin } from './support/serving.js';
import { busyStatus } from './support/status.js';

describe('the admin frontend', () => {
  let served: ServedAdmin;

  beforeEach(async () => {
    served = await ServedAdmin.start();
    served.status = busyStatus();
  });

  afterEach(() => served.close());

  async function ask(path: string, options: RequestInit = {}): Promise<{ answer: Response; body: string }> {
    const answer = await fetch(served.url + path, options);
    return { answer, body: await answer.text() };
  }

  const refuseWith = (code: ErrorCode): void => {
    served.access = { check: async () => Promise.reject(new StoreError(code, 'because')) };
  };

  it('has the page, its stylesheet and script, the status as JSON, and the metrics', async () => {
    const found: [string, string, string | RegExp][] = [
      ['/', 'text/html; charset=utf-8', /2 of 9 machines are overdue/],
      ['/?store=teams/red', 'text/html; charset=utf-8', /All 2 machines are on time/],
      ['/style.css', 'text/css; charset=utf-8', /prefers-color-scheme/],
      ['/refresh.js', 'text/javascript; charset=utf-8', /visibilitychange/],
      ['/api/status', 'application/json; charset=utf-8', JSON.stringify(busyStatus())],
      ['/metrics', 'text/plain; version=0.0.4', 'some_metric 1\n'],
    ];
    for (const [path, type, content] of found) {
      const { answer, body } = await ask(path);
      expect(answer.status, path).to.equal(200);
      expect(answer.headers.get('content-type')).to.equal(type);
      if (typeof content === 'string') expect(body).to.equal(content);
      else expect(body).to.match(content);
      expect(answer.headers.get('content-security-policy')).to.match(/^default-src 'none';.*frame-ancestors 'none'$/);
      expect(answer.headers.get('x-content-type-options')).to.equal('nosniff');
      expect(answer.headers.get('referrer-policy')).to.equal('no-referrer');
      expect(answer.headers.get('cache-control')).to.equal('no-store');
      const head = await ask(path, { method: 'HEAD' });
      expect([head.answer.status, head.body]).to.deep.equal([200, '']);
    }
  });

  it('answers 404 for other paths, methods and stores', async () => {
    for (const [path, method] of [
      ['/nowhere', 'GET'],
      ['/%', 'GET'],
      ['/metrics/', 'GET'],
      ['/', 'POST'],
      ['/?store=nowhere', 'GET'],
    ] as const) {
      const { answer } = await ask(path, { method });
      expect(answer.status, `${method} ${path}`).to.be.oneOf([400, 404]);
    }
    expect(served.errors).to.deep.equal([]);
  });

  it('asks for access to the page, the JSON and the metrics, with the host and the login of the request', async () => {
    const asked: (AdminRequest & { path: string; address: string })[] = [];
    served.peer = { listener: 'admin', address: '192.0.2.7' };
    for (const path of ['/', '/api/status', '/metrics', '/healthz', '/style.css', '/nowhere']) {
      served.access = { check: async ({ address }, request) => void asked.push({ path, address, ...request }) };
      await ask(path, { headers: { authorization: 'Bearer x' } });
    }
    const common = { address: '192.0.2.7', host: `127.0.0.1:${served.port}`, authorization: 'Bearer x' };
    expect(asked).to.deep.equal([
      { path: '/', part: 'status', ...common },
      { path: '/api/status', part: 'status', ...common },
      { path: '/metrics', part: 'metrics', ...common },
    ]);
  });

  it('knows the host of requests over HTTP/2, too', async () => {
    served.isHttp2 = true;
    const hosts: (string | undefined)[] = [];
    served.access = { check: async (_, { host }) => void hosts.push(host) };
    const session = connect(served.url);
    const stream = session.request({ ':path': '/api/status', ':authority': 'evil.example.org' });
    expect(JSON.parse(await text(stream))).to.deep.equal(busyStatus());
    session.close();
    expect(hosts).to.deep.equal(['evil.example.org']);
  });

  it('makes a browser ask for a login, and shows nothing without one', async () => {
    refuseWith('unauthenticated');
    for (const path of ['/', '/api/status', '/metrics']) {
      const { answer, body } = await ask(path);
      expect([answer.status, body]).to.deep.equal([401, 'because\n']);
      expect(answer.headers.get('www-authenticate')).to.match(/Basic realm=/);
    }
    refuseWith('permission_denied');
    const { answer } = await ask('/');
    expect([answer.status, answer.headers.get('www-authenticate')]).to.deep.equal([403, null]);
    refuseWith('too_many_requests');
    expect((await ask('/')).answer.status).to.equal(429);
  });

  it('refuses a request with two hosts', async () => {
    const request = get({
      port: served.port,
      host: '127.0.0.1',
      path: '/',
      headers: { host: 'localhost, evil.example.org' },
    });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    expect([answer.statusCode, await text(answer)]).to.deep.equal([
      400,
      'invalid Host header: it has to be one host, with or without a port\n',
    ]);
  });

  it('says whether the stores answer, and names them to those who may see the metrics', async () => {
    const problem = "the store can't be reached";
    const stores = [
      { name: '', isOptional: false },
      { name: 'teams/blue', isOptional: true, problem },
    ];
    served.readiness = { isReady: true, stores };
    const ready = await ask('/readyz');
    expect(ready.answer.status).to.equal(200);
    const lines = `the default store: answers\n"teams/blue" (optional): does not answer: ${problem}\n`;
    expect(ready.body).to.equal(`ready\n${lines}`);
    served.readiness = { isReady: false, stores };
    const unready = await ask('/readyz');
    expect([unready.answer.status, unready.body]).to.deep.equal([503, `not ready: a store does not answer\n${lines}`]);
    refuseWith('unauthenticated');
    const hidden = await ask('/readyz');
    expect([hidden.answer.status, hidden.body]).to.deep.equal([503, 'not ready: a store does not answer\n']);
    expect((await ask('/healthz')).body).to.equal('ok\n');
  });

  it('is neither healthy nor ready while the gateway stops', async () => {
    served.health.isStopping = true;
    for (const path of ['/healthz', '/readyz']) {
      const { answer, body } = await ask(path);
      expect([answer.status, body], path).to.deep.equal([503, 'stopping\n']);
    }
    // On a connection from before, too.
    const agent = new Agent({ keepAlive: true });
    served.health.isStopping = false;
    for (const status of [200, 503]) {
      const [answer] = (await once(get(`${served.url}/healthz`, { agent }), 'response')) as [IncomingMessage];
      expect(answer.statusCode).to.equal(status);
      await text(answer);
      served.health.isStopping = true;
    }
    agent.destroy();
  });

  it('reports a status that fails by its id only', async () => {
    Object.defineProperty(served, 'status', {
      get: () => {
        throw new Error('/srv/secret');
      },
    });
    const { answer, body } = await ask('/');
    expect(answer.status).to.equal(500);
    expect(body).to.match(/^internal error \(the gateway's log has it under [0-9a-f]+\)\n$/);
    expect(served.errors).to.deep.equal(['internal error']);
  });
});
