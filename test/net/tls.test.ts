import { expect } from 'chai';
import { copyFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { TlsConfig } from '../../src/config/types.js';
import { ConnectionCount } from '../../src/net/connection-acceptor.js';
import { TlsCredentials } from '../../src/net/tls-credentials.js';
import { Authority, type Certificate } from '../support/certificate.js';
import { tempFolder } from '../support/temp.js';
import { closed, echoes, enter, enterTls } from './support/client.js';
import { startListener, type TestListener } from './support/listening.js';

describe('a listener with TLS', () => {
  let authority: Authority;
  let server: Certificate;
  const listeners: TestListener[] = [];

  before(async () => {
    authority = await Authority.create();
    server = await authority.issue();
  });

  afterEach(async () => {
    for (const each of listeners.splice(0)) await each.close();
  });

  const loadCredentials = (changes: Partial<TlsConfig> = {}): Promise<TlsCredentials> =>
    TlsCredentials.load({
      cert: server.certFile,
      key: server.keyFile,
      clientCa: undefined,
      clientCertRequired: false,
      ...changes,
    });

  async function start(
    changes: Partial<TlsConfig> = {},
    ...[config, options]: Parameters<typeof startListener>
  ): Promise<TestListener> {
    const listener = await startListener(config, { tls: await loadCredentials(changes), ...options });
    listeners.push(listener);
    return listener;
  }

  /** Resolves when the client was rejected, to the code of its error, if any. */
  async function rejected(options: ConnectionOptions): Promise<string | undefined> {
    const error: unknown = await enterTls(options).catch((caught: unknown) => caught);
    expect(error).to.be.an('error');
    return (error as NodeJS.ErrnoException).code;
  }

  const warningOf = (problem: string): string =>
    `listener 127.0.0.1:0: a TLS handshake with 127.0.0.1 failed: ${problem}`;

  it('accepts TLS 1.2 and 1.3 and nothing older', async () => {
    const { port, warnings } = await start();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { socket, peer } = await enterTls({ port, minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).to.equal(version);
      expect(peer).to.deep.equal({ listener: '127.0.0.1:0', address: '127.0.0.1' });
      socket.destroy();
    }
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      // OpenSSL itself speaks these at this security level only.
      const old = { port, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      expect(await rejected(old)).to.equal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    }
    expect(warnings).to.deep.equal([warningOf('the client supports only TLS 1.1 or older')]);
  });

  it('negotiates the versions of HTTP that its protocol needs, and HTTP/2 with clients that have both', async () => {
    const expected = { http: ['h2', 'http/1.1'], grpc: ['h2', undefined], admin: [undefined, 'http/1.1'] } as const;
    for (const protocol of ['http', 'grpc', 'admin'] as const) {
      const { port } = await start({}, { protocol });
      for (const [i, offered] of ['h2', 'http/1.1'].entries()) {
        if (expected[protocol][i] === undefined) {
          expect(await rejected({ port, ALPNProtocols: [offered] })).to.match(/NO_APPLICATION_PROTOCOL/);
        } else {
          const { socket } = await enterTls({ port, ALPNProtocols: [offered] });
          expect(socket.alpnProtocol).to.equal(expected[protocol][i]);
          socket.destroy();
        }
      }
    }
    const { port } = await start();
    const { socket } = await enterTls({ port, ALPNProtocols: ['http/1.1', 'h2'] });
    expect(socket.alpnProtocol, 'of both').to.equal('h2');
    socket.destroy();
  });

  it('uses new certificates for new connections, and leaves existing connections alone', async () => {
    const folder = await tempFolder();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await Promise.all([copyFile(server.certFile, cert), copyFile(server.keyFile, key)]);
    const tls = await loadCredentials({ cert, key });
    const { port } = await start({}, {}, { tls });
    const old = await enterTls({ port, servername: 'localhost', ca: authority.cert, rejectUnauthorized: true });
    const session = await resumable(port);

    const renewed = await authority.issue({ name: 'renewed' });
    await Promise.all([copyFile(renewed.certFile, cert), copyFile(renewed.keyFile, key)]);
    await tls.reload();
    const young = await enterTls({ port, session });
    expect([old, young].map(({ socket }) => socket.getPeerCertificate().subject.CN)).to.deep.equal([
      'localhost',
      'renewed',
    ]);
    expect(await echoes(old.socket)).to.equal(true);
    expect(young.socket.isSessionReused()).to.equal(false);
    for (const { socket } of [old, young]) socket.destroy();
  });

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** A session that a client can resume, without another check of the certificates. */
  function resumable(port: number, pair: Pick<ConnectionOptions, 'cert' | 'key'> = {}): Promise<Buffer> {
    return new Promise((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...pair });
      socket.once('session', (session) => {
        socket.destroy();
        resolve(session);
      });
    });
  }

  it('reports the names in a client certificate, and whether it is trusted', async () => {
    const { port } = await start({ clientCa: authority.certFile });
    const own = await authority.issue({ name: 'web-1', altNames: ['DNS:web-1.example.org'] });
    const foreign = await (await Authority.create('another')).issue({ name: 'web-1', altNames: [] });
    const expired = await authority.issue({ name: 'web-1', altNames: [], days: -1 });
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const certificateOf = async ({ cert, key }: Partial<Certificate>): Promise<unknown> => {
        const pair = cert && key ? { cert, key } : {};
        const { socket, peer } = await enterTls({ port, ...pair, minVersion: version, maxVersion: version });
        socket.destroy();
        return peer.certificate;
      };
      expect(await certificateOf(own)).to.deep.equal({ names: ['cn:web-1', 'dns:web-1.example.org'] });
      expect(await certificateOf(foreign))
        .to.have.property('problem')
        .that.matches(/isn't signed by/);
      expect(await certificateOf(expired)).to.have.property('problem', 'it has expired');
      expect(await certificateOf({})).to.equal(undefined);
    }
  });

  it('identifies clients that resume a session', async () => {
    const { port } = await start({ clientCa: authority.certFile });
    const own = await authority.issue({ name: 'web-1', altNames: [] });
    const foreign = await (await Authority.create('another')).issue({ name: 'web-1', altNames: [] });
    const cameBack = async (pair: Partial<Certificate>): Promise<unknown> => {
      const { cert, key } = pair;
      const session = await resumable(port, cert && key ? { cert, key } : {});
      const { socket, peer } = await enterTls({ port, session });
      expect(socket.isSessionReused()).to.equal(true);
      socket.destroy();
      return peer.certificate;
    };
    expect(await cameBack(own)).to.deep.equal({ names: ['cn:web-1'] });
    expect(await cameBack(foreign))
      .to.have.property('problem')
      .that.matches(/isn't signed by/);
    expect(await cameBack({})).to.equal(undefined);
  });

  it('rejects clients without a trusted certificate if one is required', async () => {
    const changes = { clientCa: authority.certFile, clientCertRequired: true };
    const own = await authority.issue({ name: 'web-1' });
    const foreign = await (await Authority.create('another')).issue();
    const cases: readonly [Partial<Certificate>, string | undefined][] = [
      [own, undefined],
      [
        foreign,
        // Node has closed the connection by then, and doesn't know any more with whom it was.
        "listener 127.0.0.1:0: a TLS handshake failed: the client's certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
      ],
      [{}, warningOf('the client has no certificate, which is required here')],
    ];
    for (const [{ cert, key }, warning] of cases) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const { port, accepted, warnings } = await start(changes);
        const pair = cert && key ? { cert, key } : {};
        const options = { port, ...pair, minVersion: version, maxVersion: version };
        if (warning === undefined) (await enterTls(options)).socket.destroy();
        else await rejected(options);
        expect(accepted).to.have.length(warning === undefined ? 1 : 0);
        expect(warnings).to.deep.equal(warning === undefined ? [] : [warning]);
      }
    }
  });

  it('asks for client certificates after a reload that enables them', async () => {
    const tls = await loadCredentials();
    const { port } = await start({}, {}, { tls });
    (await enterTls({ port })).socket.destroy();
    await tls.reload({
      cert: server.certFile,
      key: server.keyFile,
      clientCa: authority.certFile,
      clientCertRequired: true,
    });
    await rejected({ port });
  });

  it('closes connections whose handshake takes too long, even if it makes progress', async () => {
    const { port, accepted, warnings } = await start({}, {}, { handshakeTimeoutMs: 200 });
    const silent = connect(port, '127.0.0.1').resume();
    const trickling = connect(port, '127.0.0.1').resume();
    // The start of a ClientHello, one byte at a time.
    trickling.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]));
    const trickle = setInterval(() => trickling.write('x'), 20);
    await Promise.all([closed(silent), closed(trickling)]);
    clearInterval(trickle);
    expect(accepted).to.deep.equal([]);
    expect(warnings).to.deep.equal([warningOf('it took too long')]);
  });

  it('closes connections that are in the handshake when the listener closes', async () => {
    const connections = new ConnectionCount(1);
    const { port, listener, accepted } = await start({}, {}, { connections });
    const socket = connect(port, '127.0.0.1');
    await until(() => connections.current === 1);
    await listener.close();
    const secured = connectTls({ socket, rejectUnauthorized: false }).resume();
    await closed(secured);
    expect(accepted).to.deep.equal([]);
  });

  it('answers HTTP without TLS with 400 and a sentence, and closes the connection', async () => {
    const { port, accepted } = await start();
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).to.match(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).to.match(/\r\n\r\nthis port speaks TLS: use https:\/\/ instead of http:\/\/\n$/);
    expect(accepted).to.deep.equal([]);
  });

  it('survives invalid handshakes, with one warning a minute', async () => {
    const { port, accepted, warnings } = await start();
    for (const text of ['GET / HTTP/1.1\r\n\r\n', '\x1b[31m\r\n\0\0\0\0', 'SSH-2.0-x\r\n']) {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.resume();
      await closed(socket);
    }
    const gone = connect(port, '127.0.0.1', () => gone.resetAndDestroy());
    await closed(gone);
    const { socket } = await enterTls({ port });
    expect(await echoes(socket)).to.equal(true);
    socket.destroy();
    expect(accepted).to.have.length(1);
    expect(warnings).to.deep.equal([warningOf('the client speaks plain HTTP')]);
  });

  it('works beside one without TLS', async () => {
    const { port } = await start({}, { tls: false });
    const { socket, peer } = await enter({ host: '127.0.0.1', port });
    expect(peer.address).to.equal('127.0.0.1');
    socket.destroy();
    const error: unknown = await startListener({ tls: true }).catch((caught: unknown) => caught);
    expect(error).to.be.an('error').with.property('message', 'listener 127.0.0.1:0 needs a TLS certificate');
  });

  it('counts a connection until its end', async () => {
    const connections = new ConnectionCount(1);
    const { port } = await start({}, {}, { connections });
    const { socket } = await enterTls({ port });
    await rejected({ port });
    socket.destroy();
    await until(() => connections.current === 0);
    const next: TLSSocket = (await enterTls({ port })).socket;
    next.destroy();
  });
});
