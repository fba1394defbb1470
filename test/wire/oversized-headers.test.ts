import { expect } from 'chai';
import { Authority } from '../support/certificate.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { connect } from '../support/grpc-store.js';
import { Http2Store } from '../support/http2-store.js';
import { listAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { ask, RawHttp } from './support/raw-http.js';
import { Metadata, type ServiceError } from '@grpc/grpc-js';

describe('Headers beyond the limit', () => {
  const limit = 16 * 1024;
  let gateway: TestGateway;
  let tls: { ca: Buffer };

  before(async () => {
    const authority = await Authority.create();
    const server = await authority.issue();
    tls = { ca: authority.cert };
    gateway = await startTestGateway(await emptyStore(), {
      listen: [
        { name: 'plain', address: '127.0.0.1:0', tls: false },
        { name: 'secure', address: '127.0.0.1:0' },
      ],
      'grpc-listen': { address: '127.0.0.1:0', tls: false },
      cert: server.certFile,
      key: server.keyFile,
      'max-header-size': limit,
    });
  });

  after(() => gateway.close());

  it('get 431 over HTTP, in one field, in many, in a token and in the path', async () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`X-${i}`, 'x'.repeat(50)]));
    for (const headers of [{ 'X-Long': 'x'.repeat(limit) }, many, { Authorization: `Bearer ${'x'.repeat(limit)}` }]) {
      const { status, body } = await ask(gateway.httpPort, 'GET', '/', headers);
      expect(status).to.equal(431);
      expect(body.toString()).to.equal('the headers are too large\n');
    }
    expect((await ask(gateway.httpPort, 'GET', `/${'x'.repeat(limit)}`)).status).to.equal(431);
    expect((await ask(gateway.httpPort, 'GET', '/', { 'X-Long': 'x'.repeat(limit - 1000) })).status).to.equal(200);
  });

  it('get 431 over HTTP where they never end, and no more is read of them', async () => {
    const connection = await RawHttp.connect(gateway.httpPort);
    await connection.send('GET / HTTP/1.1\r\nHost: gateway\r\n');
    let sent = 0;
    for (; !connection.ended && sent < 100 * limit; sent += 1024) {
      await connection.send(`X-${sent}: ${'x'.repeat(1000)}\r\n`);
      // The answer comes between two of them.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).to.be.below(100 * limit);
    expect((await connection.untilClosed()).toString()).to.match(/^HTTP\/1\.1 431 /);
  });

  it('lose no more than their own request over HTTP/2', async () => {
    const [, secure] = gateway.gateway.http;
    const options: { tls: typeof tls; authorization?: string } = { tls };
    const client = new Http2Store((secure as { port: number }).port, options);
    // Also with the first request, when the client doesn't know the limit yet.
    for (let i = 0; i < 2; i++) {
      options.authorization = `Bearer ${'x'.repeat(limit)}`;
      const error: unknown = await client.config().catch((caught: unknown) => caught);
      expect(error).to.be.an('error');
    }
    options.authorization = `Bearer ${'x'.repeat(limit - 4000)}`;
    expect(await listAll(client, 'state')).to.deep.equal([]);
    await client.close();
  });

  it('lose no more than their own call over gRPC', async () => {
    const client = connect(gateway.grpcPort);
    const info = (value: string): Promise<ServiceError | null> =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        metadata.set('x-long', value);
        client.getStoreInfo({ store: '' }, metadata, (error) => resolve(error));
      });
    expect(await info('x'.repeat(1000))).to.equal(null);
    expect(await info('x'.repeat(limit))).to.be.an('error');
    expect(await info('x'.repeat(1000))).to.equal(null);
    client.close();
  });
});
