import { expect } from 'chai';
import { formatSftpLocation } from '../../src/backends/sftp/location.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { ask } from './support/raw-http.js';

describe("A gateway whose store's server no longer answers", function () {
  // Less than the minute that an operation waits for the server.
  this.timeout(50_000);
  let sshd: Sshd;
  let proxy: TcpProxy;
  let gateway: TestGateway;

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  beforeEach(async () => {
    proxy = await TcpProxy.start(sshd.port);
    const location = formatSftpLocation({ ...sshd.location(await emptyStore()), port: proxy.port });
    const settings = { ...sshd.settings, 'insecure-ignore-host-key': true, 'allow-delete': true };
    gateway = await startTestGateway(location, settings);
  });

  afterEach(() => proxy.close());

  after(() => sshd?.stop());

  it('shuts down with requests that wait for it', async () => {
    const store = new HttpStore(gateway.httpPort);
    const ref = newRef('state');
    await putAll(store, ref, makeObject('state', 1000));
    proxy.freeze();
    const requests = [
      store.stat(ref),
      Promise.resolve(store.get(ref, undefined)),
      putAll(store, newRef('state'), makeObject('state', 1000)),
      store.delete(ref),
    ];
    const outcomes = Promise.allSettled(requests);
    let over = 0;
    for (const request of requests) void request.catch(() => undefined).finally(() => over++);
    // Once later requests, which need no store, have been answered, these wait for the store.
    for (let i = 0; i < 10; i++) expect((await ask(gateway.httpPort, 'GET', '/healthz')).status).to.equal(200);
    expect(over).to.equal(0);
    await gateway.close();
    expect((await outcomes).map(({ status }) => status)).to.deep.equal(requests.map(() => 'rejected'));
    await store.close();
  });
});
