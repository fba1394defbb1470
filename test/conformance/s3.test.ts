import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import type { Store } from '../../src/core/store.js';
import type { TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { testsMinio } from '../support/s3-programs.js';
import { s3Server, type S3Server } from '../support/s3-server.js';
import { openS3Store, startS3Gateway } from '../support/s3-store.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { fixturePath } from '../support/temp.js';
import { overGrpc, overHttp } from './protocol-options.js';
import { describeStore, maxObjectBytes, type SuiteOptions, type Target } from './store-suite.js';
import { operations, type Blocked } from './target.js';

/** What a bucket shows of a store is looked at in test/backends/s3. */
const inBucket = { onDisk: false };

for (const program of testsMinio ? (['versitygw', 'minio'] as const) : (['versitygw'] as const)) {
  describe(`a store in S3, on ${program},`, () => {
    const server = s3Server({ program, ownDisk: program === 'versitygw' });
    /** The store of all tests, as a store is proven to be write-once when it is new, which takes a moment. */
    let prefix: string;

    before(async () => {
      prefix = await server().emptyStore();
    });

    describeStore(
      'itself,',
      async () => {
        const store = await openS3Store(server(), prefix, { maxObjectBytes });
        const block = async (): Promise<Blocked> => {
          await server().pause();
          return { operations, unblock: () => server().resume() };
        };
        return { ...(await targetOf(server(), prefix, store)), block };
      },
      inBucket,
    );

    describeThrough('through HTTP, it', 1, {
      connect: ([{ httpPort = NaN } = {}]) => new HttpStore(httpPort),
      options: overHttp,
    });

    describeThrough('through gRPC, it', 1, {
      connect: ([{ grpcPort = NaN } = {}]) => new GrpcStore(grpcPort),
      options: overGrpc,
    });

    describe('through a load balancer over three gateways,', () => {
      let balancer: TcpProxy;

      describeThrough('it', 3, {
        start: async (gateways) => {
          balancer = await TcpProxy.start(gateways.map(({ httpPort }) => httpPort));
        },
        connect: () => new HttpStore(balancer.port, { oneRequestEach: true }),
        options: overHttp,
      });

      after(() => balancer?.close());
    });

    /** The suite on a client of gateways, which all tests share. */
    function describeThrough(
      name: string,
      replicas: number,
      how: {
        readonly start?: (gateways: readonly TestGateway[]) => Promise<void>;
        readonly connect: (gateways: readonly TestGateway[]) => Store;
        readonly options: SuiteOptions;
      },
    ): void {
      describe(`with ${replicas === 1 ? 'a gateway' : `${replicas} gateways`} before it,`, () => {
        let gateways: readonly TestGateway[] = [];

        before(async () => {
          const settings = { 'max-object-size': String(maxObjectBytes) };
          const starting = Array.from({ length: replicas }, () => startS3Gateway(server(), prefix, settings));
          gateways = await Promise.all(starting);
          await how.start?.(gateways);
        });

        after(() => Promise.all(gateways.map((gateway) => gateway.close())));

        describeStore(name, () => targetOf(server(), prefix, how.connect(gateways)), { ...how.options, ...inBucket });
      });
    }
  });
}

describe('a store in S3 with a trash,', () => {
  const server = s3Server({ versions: true, ownDisk: true });
  let prefix: string;

  before(async () => {
    prefix = await server().emptyStore();
  });

  describeStore(
    'in a bucket that keeps versions,',
    async () => targetOf(server(), prefix, await openS3Store(server(), prefix, { maxObjectBytes, trashes: true })),
    // versitygw takes a delete marker for an object.
    { ...inBucket, hides: ['otherBytes'] },
  );
});

/** A client of an empty store in the server's bucket. */
async function targetOf(server: S3Server, prefix: string, store: Store): Promise<Target> {
  const close = async (): Promise<void> => {
    // A test that failed may have left it so.
    await server.resume();
    await store.close();
    expect(await server.multiparts(prefix), 'unfinished multiparts').to.deep.equal([]);
    await server.clear(prefix);
  };
  const { disk } = server;
  const config = await readFile(fixturePath('CONFIG'));
  return { store, config, close, ...(disk && { fill: () => disk.fill() }) };
}
