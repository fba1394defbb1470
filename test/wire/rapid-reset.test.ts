import { expect } from 'chai';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, getAll, listAll, putAll } from '../support/store.js';
import { untilClean, untilOpenFiles } from './support/folders.js';
import { Http2Client } from './support/http2-client.js';
import { getPath, getRequest, putPath, upload } from './support/raw-grpc.js';
import { RawHttp2 } from './support/raw-http2.js';
import { startSecureGateway, type SecureGateway } from './support/secure-gateway.js';

/* CVE-2023-44487, and its like: streams that are opened and reset at once never count against the limit of open ones. */

const enhanceYourCalm = 11;

const maxResets = 100;
/** Far more requests than the gateway may handle. */
const attempts = 20_000;

describe('A client that opens streams and resets them at once', function () {
  this.timeout(30_000);
  const ref = newRef('packfile');
  const path = `/resources/packfiles/${ref.mac}`;
  let gateway: SecureGateway;
  let ordinary: HttpStore;

  beforeEach(async () => {
    gateway = await startSecureGateway({ 'max-resets': maxResets, 'max-streams': 50, durability: 'none' });
    ordinary = new HttpStore(gateway.httpPort);
    await putAll(ordinary, ref, makeObject('packfile', 100_000));
  });

  afterEach(async () => {
    await ordinary.close();
    await gateway.close();
  });

  const handled = (): number => gateway.log.filter(({ message }) => message === 'request').length;

  const http2 = (): Promise<RawHttp2> => RawHttp2.connectTls(gateway.httpsPort);
  const grpc = (): Promise<RawHttp2> => RawHttp2.connect(gateway.grpcPort);
  const get = (target: string) => (connection: RawHttp2) => connection.open('GET', target, {}, { endStream: true });

  const attacks: Readonly<Record<string, readonly [() => Promise<RawHttp2>, (connection: RawHttp2) => number]>> = {
    'downloads over HTTP/2': [http2, get(path)],
    'lists over HTTP/2': [http2, get('/resources/packfiles')],
    'what needs no store over HTTP/2': [http2, get('/healthz')],
    'what is refused over HTTP/2': [http2, get('/no/such/store/resources/packfiles')],
    'uploads over HTTP/2': [
      http2,
      (connection) => connection.open('PUT', `/resources/packfiles/${newRef('state').mac}`),
    ],
    'downloads over gRPC': [
      grpc,
      (connection) => {
        const stream = connection.request(getPath);
        connection.frame(0, 1, stream, getRequest(ref));
        return stream;
      },
    ],
    'uploads over gRPC': [
      grpc,
      (connection) => {
        const stream = connection.request(putPath);
        connection.frame(0, 0, stream, upload.header(newRef('packfile')));
        return stream;
      },
    ],
  };

  for (const [what, [connect, open]] of Object.entries(attacks)) {
    for (const [how, code] of [
      ['cancels them', 8],
      ['says that there is no error', 0],
    ] as const) {
      it(`loses its connection for ${what} where it ${how}`, async () => {
        const before = handled();
        const attacker = await connect();
        let attacked = true;
        const others = (async () => {
          for (let i = 0; i < 5 || attacked; i++) expect(await getAll(ordinary, ref)).to.have.length(100_000);
        })();
        let sent = 0;
        while (sent < attempts && !attacker.closed) {
          attacker.socket.cork();
          for (let i = 0; i < 100; i++, sent++) attacker.reset(open(attacker), code);
          attacker.socket.uncork();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await eventually(async () => attacker.closed, 'the connection is closed');
        attacked = false;
        await others;
        expect(sent).to.be.lessThan(attempts);
        // The requests of one read of the socket are started before the first reset is seen: their number is bounded.
        const ordinaryOnes = gateway.log.filter(({ protocol, path: each }) => protocol === 'http' && each === path);
        expect(handled() - before - ordinaryOnes.length).to.be.lessThan(maxResets + 2000);
        await untilClean(gateway.folder);
        await untilOpenFiles(0, gateway.folder);
        if (code === 0) return; // Node's own limit may come first, which logs nothing.
        expect(attacker.goAwayCode).to.equal(enhanceYourCalm);
        const warnings = gateway.log.filter(({ level }) => level !== 'info').map(({ message }) => message);
        expect(warnings).to.deep.equal(['a client exceeded the limit of stream resets: disconnected']);
      });
    }
  }

  it('stays connected if it does that now and then, among requests that it lets finish', async () => {
    const client = await Http2Client.connect(gateway.httpsPort);
    for (let i = 0; i < 3 * maxResets; i++) {
      if (i % 4 === 0) client.open('GET', path, {}, false).close(8);
      expect((await client.ask('GET', path)).body).to.have.length(100_000);
    }
    expect(client.session.destroyed).to.equal(false);
    client.close();
  });

  it('stays connected if its downloads are large, and it stops them when it has what it needs', async () => {
    const store = new GrpcStore(gateway.grpcPort);
    const large = newRef('state');
    await putAll(store, large, makeObject('state', 4_000_000));
    for (let i = 0; i < maxResets / 2; i++) (await store.get(large, undefined)).release();
    expect(await listAll(store, 'state')).to.deep.equal([large.mac]);
    await store.close();
  });

  it('has no more open streams than allowed, however many it opens', async () => {
    const connection = await http2();
    const streams = Array.from({ length: 60 }, () =>
      connection.open('PUT', `/resources/packfiles/${newRef('state').mac}`),
    );
    await eventually(async () => connection.resets.size === 10, 'ten are refused');
    expect([...connection.resets.keys()]).to.deep.equal(streams.slice(50));
    // REFUSED_STREAM: it was not handled, so it can be tried again.
    expect(new Set(connection.resets.values())).to.deep.equal(new Set([7]));
    connection.close();
  });
});
