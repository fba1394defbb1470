import { expect } from 'chai';
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, getAll, putAll, readAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import type { Store } from '../../src/core/store.js';

const MiB = 1024 * 1024;

/** Longer than a client may stall: that is one second, and it is checked once a second. */
const pauseMs = 3500;

/** A TCP proxy that can be paused. */
class Proxy {
  private readonly sockets = new Set<Socket>();
  private paused = false;

  private constructor(private readonly server: Server) {}

  static async start(port: number): Promise<Proxy> {
    const proxy: Proxy = new Proxy(
      createServer({ noDelay: true }, (socket) => {
        const onwards = connectTo({ port, host: '127.0.0.1', noDelay: true });
        proxy.join(socket, onwards);
        proxy.join(onwards, socket);
      }),
    );
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : NaN;
  }

  /** Forwards nothing for a time. */
  async pauseFor(ms: number): Promise<void> {
    this.paused = true;
    for (const socket of this.sockets) socket.pause();
    await sleep(ms);
    this.paused = false;
    for (const socket of this.sockets) socket.resume();
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.on('data', (data) => {
      if (!to.write(data)) from.pause();
    });
    to.on('drain', () => {
      if (!this.paused) from.resume();
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}

describe('A gateway whose store is slow', function () {
  this.timeout(30_000);
  const bytes = makeObject('packfile', 24 * MiB);
  let inner: TestGateway;
  let proxy: Proxy;
  let outer: TestGateway;

  beforeEach(async () => {
    inner = await startTestGateway(await emptyStore(), {
      'allow-write': true,
      'min-free-space': 0,
      durability: 'none',
    });
    proxy = await Proxy.start(inner.grpcPort);
    outer = await startTestGateway(`grpc://127.0.0.1:${proxy.port}`, {
      'allow-write': true,
      'stall-timeout': '1s',
      'min-rate': '1MiB',
    });
  });

  afterEach(async () => {
    await outer.close();
    proxy.close();
    await inner.close();
  });

  for (const [protocol, connect] of [
    ['HTTP 1.1', ({ httpPort }: TestGateway): Store => new HttpStore(httpPort)],
    ['gRPC', ({ grpcPort }: TestGateway): Store => new GrpcStore(grpcPort)],
  ] as const) {
    it(`waits for it, and does not disconnect the client that waits, too, over ${protocol}`, async () => {
      const store = connect(outer);
      const ref = newRef('packfile');
      let pause: Promise<void> | undefined;
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += MiB) {
          if (at === 2 * MiB) pause = proxy.pauseFor(pauseMs);
          yield bytes.subarray(at, at + MiB);
        }
      }
      await store.put(ref, body(), ctx);
      await pause;

      const read = await store.get(ref, undefined, ctx);
      const paused = proxy.pauseFor(pauseMs);
      expect((await readAll(read)).equals(bytes)).to.equal(true);
      await paused;

      const small = newRef('state');
      await putAll(store, small, makeObject('state', 100));
      const waiting = proxy.pauseFor(pauseMs);
      expect(await getAll(store, small)).to.have.length(100);
      await waiting;
      await store.close();
    });
  }
});
