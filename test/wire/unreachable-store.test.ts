import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatSftpLocation } from '../../src/backends/sftp/location.js';
import { TcpProxy } from '../backends/sftp/tcp-proxy.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';

describe("A gateway whose store's server does not answer any more", function () {
  // A store is waited for for a minute.
  this.timeout(20_000);
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
    const settings = { ...sshd.settings, 'insecure-ignore-host-key': true, 'allow-write': true };
    gateway = await startTestGateway(location, settings);
  });

  afterEach(() => proxy.close());

  after(() => sshd?.stop());

  it('stops all the same, with requests under way that wait for it', async () => {
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
    // By then they have come as far as they can.
    await sleep(300);
    await gateway.close();
    expect((await outcomes).map(({ status }) => status)).to.deep.equal(requests.map(() => 'rejected'));
    await store.close();
  });
});
