import { credentials, Metadata, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';
import {
  StoreServiceClient,
  StoreServiceService,
  type PutObjectRequest,
  type StoreServiceServer,
} from '../../../gen/kloset/store/v1/store.js';
import { LimitedServer, messagesOnDemand } from '../../../src/frontends/grpc/limited-server.js';

const KiB = 1024;

describe('A gRPC server with limits', () => {
  let server: LimitedServer;
  let client: StoreServiceClient;

  async function serve<Name extends keyof StoreServiceServer>(handlers: Pick<StoreServiceServer, Name>): Promise<void> {
    server = new LimitedServer();
    server.addService(StoreServiceService, { ...handlers });
    const port = await new Promise<number>((resolve) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
    );
    client = new StoreServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  afterEach(() => {
    client.close();
    server.forceShutdown();
  });

  /** Sends bytes as the request of StatObject; resolves to the answer's error. */
  function ask(bytes: Buffer): Promise<ServiceError | null> {
    const path = '/kloset.store.v1.StoreService/StatObject';
    const same = (value: Buffer): Buffer => value;
    return new Promise((resolve) => client.makeUnaryRequest(path, same, same, bytes, (error) => resolve(error)));
  }

  it('refuses a request that is too large before its handler sees it', async () => {
    let asked = 0;
    await serve({
      statObject: (_call, callback) => {
        asked++;
        callback(null, { details: undefined });
      },
    });
    // A field that the message doesn't have, of any length.
    const unknown = (length: number) => Buffer.concat([Buffer.from([0x7a, 0xfc, 0xff, 0x03]), Buffer.alloc(length)]);
    expect(await ask(unknown(64 * KiB - 4))).to.equal(null);
    expect(asked).to.equal(1);
    const larger = Buffer.concat([unknown(64 * KiB - 4), Buffer.from([0x78, 0])]);
    expect(await ask(larger)).to.include({
      code: status.RESOURCE_EXHAUSTED,
      details: 'a message of 65538 bytes: at most 65536 are accepted',
    });
    expect(asked).to.equal(1);
  });

  it('delivers the messages of an upload as the handler asks for them, and then its end', async () => {
    const got: number[] = [];
    let request = (): void => undefined;
    let ended = false;
    await serve({
      putObject: (call, callback) => {
        const demand = messagesOnDemand(call.metadata);
        request = () => demand?.request();
        call.on('data', ({ part }: PutObjectRequest) =>
          got.push(part?.$case === 'finish' ? Number(part.value.length) : -1),
        );
        call.on('end', () => (ended = true)).on('end', () => callback(null, { created: true }));
      },
      deleteObject: (_call, callback) => callback(null, {}),
    });
    const answer = new Promise<boolean>((resolve, reject) => {
      const call = client.putObject((error, { created } = { created: false }) =>
        error ? reject(error) : resolve(created),
      );
      for (let i = 1; i <= 20; i++) call.write({ part: { $case: 'finish', value: { length: BigInt(i) } } });
      call.end();
    });
    // Another call on the same connection, which is answered after the messages have come.
    const untilCome = () =>
      new Promise((resolve) => client.deleteObject({ store: '', ref: undefined }, new Metadata(), resolve));
    await untilCome();
    expect(got).to.deep.equal([]);
    for (let i = 1; i <= 20; i++) {
      expect(ended).to.equal(false);
      request();
      await untilCome();
      expect(got).to.have.length(i);
    }
    expect(await answer).to.equal(true);
    expect(got).to.deep.equal(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('delivers all messages to a handler that does not ask', async () => {
    let count = 0;
    await serve({
      putObject: (call, callback) => {
        call.on('data', () => count++).on('end', () => callback(null, { created: true }));
      },
    });
    await new Promise<void>((resolve, reject) => {
      const call = client.putObject((error) => (error ? reject(error) : resolve()));
      for (let i = 0; i < 20; i++) call.write({ part: undefined });
      call.end();
    });
    expect(count).to.equal(20);
  });
});
