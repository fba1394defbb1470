import { credentials, Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { createServer, type AddressInfo, type Server as NetServer } from 'node:net';
import { StoreServiceClient, StoreServiceService } from '../../../gen/kloset/store/v1/store.js';
import { setPeer } from '../../../src/core/peer.js';
import type { CallOrigin } from '../../../src/frontends/grpc/call.js';
import { Http2Connections } from '../../../src/frontends/grpc/http2-connections.js';
import { LimitedServer } from '../../../src/frontends/grpc/limited-server.js';
import { silent } from '../../support/gateway.js';
import { unary } from '../../support/grpc-store.js';
import { eventually } from '../../support/store.js';

const MiB = 1024 * 1024;

/* These fail where an update of grpc-js keeps its HTTP/2 server elsewhere, or reads headers before our listener has written to them. */
describe('The HTTP/2 connections of a gRPC server', () => {
  let server: LimitedServer;
  let connections: Http2Connections;
  let listener: NetServer;
  let port: number;
  let calls: { metadata: Metadata; origin: CallOrigin | undefined }[];
  const clients: { close(): void }[] = [];

  beforeEach(async () => {
    calls = [];
    server = new LimitedServer();
    server.addService(StoreServiceService, {
      statObject: (
        { metadata }: ServerUnaryCall<unknown, unknown>,
        callback: (error: null, answer: object) => void,
      ) => {
        calls.push({ metadata, origin: connections.originOf(metadata) });
        callback(null, {});
      },
    });
    const limits = { idleMs: 60_000, maxHeaderBytes: 16_384, maxStreams: 7, maxResets: 10 };
    connections = new Http2Connections(server, limits, silent);
    let accepted = 0;
    listener = createServer((socket) => {
      setPeer(socket, { listener: 'test', address: `client ${++accepted}` });
      connections.accept(socket);
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    ({ port } = listener.address() as AddressInfo);
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    server.forceShutdown();
    listener.close();
  });

  function client(): StoreServiceClient {
    const own = { 'grpc.use_local_subchannel_pool': 1 };
    const made = new StoreServiceClient(`127.0.0.1:${port}`, credentials.createInsecure(), own);
    clients.push(made);
    return made;
  }

  const call = (stub: StoreServiceClient, metadata = new Metadata()) =>
    unary((done) => stub.statObject({ store: '', ref: undefined }, metadata, done));

  async function session(): Promise<ClientHttp2Session> {
    const made = connect(`http://127.0.0.1:${port}`);
    // The server is shut down before it is closed.
    made.on('error', () => undefined);
    clients.push(made);
    await once(made, 'remoteSettings');
    return made;
  }

  it('have receive windows of 8 MiB for a stream and for all, and the limits that are set', async () => {
    const first = await session();
    expect(first.remoteSettings).to.include({ initialWindowSize: 8 * MiB, maxConcurrentStreams: 7 });
    await eventually(async () => first.state.remoteWindowSize === 8 * MiB, 'the window of the connection is 8 MiB');
    connections.setLimits({ idleMs: 60_000, maxHeaderBytes: 16_384, maxStreams: 9, maxResets: 10 });
    expect((await session()).remoteSettings).to.include({ initialWindowSize: 8 * MiB, maxConcurrentStreams: 9 });
  });

  it('are told to handlers: one for all calls of a client, and another one for another client', async () => {
    const [one, other] = [client(), client()];
    for (const stub of [one, one, other]) await call(stub);
    const [first, second, third] = calls.map(({ origin }) => origin?.connection);
    expect(first?.peer.address).to.equal('client 1');
    expect(second).to.equal(first);
    expect(third?.peer.address).to.equal('client 2');
  });

  it("can't be forged by a client that sends the number of another one's call", async () => {
    await call(client());
    const [[name] = ['']] = Object.entries(calls[0]?.metadata.getMap() ?? {}).filter(([key]) => key.includes('number'));
    expect(name).to.equal('kloset-call-number');
    for (const number of ['1', '2', '3', '']) {
      const metadata = new Metadata();
      metadata.set(name, number);
      await call(client(), metadata);
    }
    const addresses = calls.map(({ origin }) => origin?.connection.peer.address);
    expect(addresses).to.deep.equal(['client 1', 'client 2', 'client 3', 'client 4', 'client 5']);
  });

  it('are forgotten when the calls end', async () => {
    await call(client());
    const [{ metadata, origin } = {}] = calls;
    expect(origin?.stream?.id).to.equal(1);
    await eventually(async () => metadata !== undefined && connections.originOf(metadata) === undefined, 'it is gone');
    expect(connections.originOf(new Metadata())).to.equal(undefined);
  });
});
