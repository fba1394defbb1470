import { status, type ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Access,
  ObjectKind,
  type GetStoreInfoResponse,
  type ListObjectsResponse,
  type ReadRangesRequest,
  type ReadRangesResponse,
  type StoreServiceClient,
} from '../../../gen/kloset/store/v1/store.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { version } from '../../../src/lib/package-info.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { GrpcStore, unary, wireRef } from '../../support/grpc-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { answersIn } from '../../support/read-ranges-store.js';
import { eventually, expectFailure, listAll, putAll } from '../../support/store.js';
import { fixtureStore } from '../../support/temp.js';

describe('kloset.store.v1.StoreService', () => {
  let folder: string;
  let gateway: TestGateway;
  let store: GrpcStore;
  let client: StoreServiceClient;

  beforeEach(async () => {
    folder = await fixtureStore('v1.1-encrypted/store-two-snapshots');
    gateway = await startTestGateway(folder, { 'allow-write': true });
    store = new GrpcStore(gateway.grpcPort);
    ({ client } = store);
  });

  afterEach(async () => {
    await store.close();
    await gateway.close();
  });

  it('tells what the store is, and what the caller may do', async () => {
    const info = await unary<GetStoreInfoResponse>((done) => client.getStoreInfo({ store: '' }, done));
    expect(Buffer.from(info.config).equals(await readFile(join(folder, 'CONFIG')))).to.equal(true);
    expect(info.repositoryId).to.have.length(16);
    expect(info).to.deep.include({
      access: Access.ACCESS_APPEND,
      kinds: [ObjectKind.OBJECT_KIND_PACKFILE, ObjectKind.OBJECT_KIND_STATE, ObjectKind.OBJECT_KIND_LOCK],
      maxObjectSize: 4n * 1024n ** 3n,
      maxLockSize: 65536n,
      durable: true,
      retentionMs: 0n,
      trashMs: 0n,
      gatewayVersion: version,
    });
  });

  it('lists sizes and modification times where they are wanted', async () => {
    const seen: bigint[] = [];
    const call = client.listObjects({ store: '', kind: ObjectKind.OBJECT_KIND_PACKFILE, withDetails: true });
    for await (const { macs, details } of call as AsyncIterable<ListObjectsResponse>) {
      expect(details).to.have.length(macs.length);
      for (const [i, mac] of macs.entries()) {
        const name = Buffer.from(mac).toString('hex');
        const bytes = await readFile(join(folder, 'packfiles', name.slice(0, 2), name));
        expect(details[i]?.size).to.equal(BigInt(bytes.length));
        expect(Number(details[i]?.modifiedUnixMs)).to.be.greaterThan(Date.parse('2020-01-01'));
        seen.push(details[i]?.size ?? 0n);
      }
    }
    expect(seen).to.have.length(3);
  });

  it('refuses what is malformed with INVALID_ARGUMENT, and ecc kinds with UNIMPLEMENTED', async () => {
    const good = wireRef(newRef('state'));
    const wrong = [
      undefined,
      { ...good, mac: new Uint8Array(31) },
      { ...good, kind: ObjectKind.OBJECT_KIND_UNSPECIFIED },
      { ...good, kind: 99 },
    ];
    for (const ref of wrong) {
      await expectFailure(
        unary((done) => client.statObject({ store: '', ref }, done)),
        'invalid_argument',
      );
      await expectFailure(
        unary((done) => client.deleteObject({ store: '', ref }, done)),
        'invalid_argument',
      );
    }
    const ecc = { ...good, kind: ObjectKind.OBJECT_KIND_ECC_STATE };
    await expectFailure(
      unary((done) => client.statObject({ store: '', ref: ecc }, done)),
      'unimplemented',
    );
  });

  it('knows no store but the unnamed one', async () => {
    const error = await expectFailure(
      unary((done) => client.getStoreInfo({ store: 'teams/blue' }, done)),
      'not_found',
    );
    expect(error.message).to.equal('no store "teams/blue" here; ask the gateway\'s operator which there are');
  });

  it('refuses a range without length with INVALID_ARGUMENT', async () => {
    const call = client.getObject({ store: '', ref: wireRef(newRef('state')), range: { offset: 0n, length: 0 } });
    const error = await new Promise<ServiceError>((resolve) =>
      call.on('error', (each) => resolve(each as ServiceError)).resume(),
    );
    expect(error.code).to.equal(status.INVALID_ARGUMENT);
  });

  it('logs one line for each call, with what went in and out', async () => {
    const ref = newRef('packfile');
    await putAll(store, ref, makeObject('packfile', 3000));
    await expectFailure(store.delete(ref), 'permission_denied');
    const listed = await listAll(store, 'packfile');
    const lines = gateway.log.filter(({ message }) => message === 'request');
    expect(lines).to.have.length(3);
    expect(lines[0]).to.include({
      method: '/kloset.store.v1.StoreService/PutObject',
      status: 'OK',
      received: 3000,
      path: `packfiles/${ref.mac}`,
    });
    expect(lines[1]).to.include({ method: '/kloset.store.v1.StoreService/DeleteObject', status: 'PERMISSION_DENIED' });
    expect(lines[2]).to.include({
      method: '/kloset.store.v1.StoreService/ListObjects',
      path: 'packfiles',
      sent: listed.length * 32,
    });
    expect(lines[0]?.['caller']).to.equal('127.0.0.1');
  });

  describe('ReadRanges', () => {
    /** Asks reads on one stream; resolves to the answers by tag. */
    async function read(
      requests: ReadRangesRequest[],
    ): Promise<Map<bigint, { bytes: Buffer; last: number; error?: ReadRangesResponse['error'] }>> {
      const call = client.readRanges();
      for (const request of requests) call.write(request);
      call.end();
      const answers = new Map<bigint, { bytes: Buffer; last: number; error?: ReadRangesResponse['error'] }>();
      for await (const response of call as AsyncIterable<ReadRangesResponse>) {
        messages++;
        for (const { tag, chunk, last, error } of answersIn(response)) {
          const before = answers.get(tag) ?? { bytes: Buffer.alloc(0), last: 0 };
          expect(before.last, `after the last of ${tag}`).to.equal(0);
          answers.set(tag, { bytes: Buffer.concat([before.bytes, chunk]), last: before.last + Number(last), error });
        }
      }
      return answers;
    }

    /** How many messages answers came in. */
    let messages: number;

    beforeEach(() => (messages = 0));

    /** Requests as one message. */
    function together(requests: ReadRangesRequest[]): ReadRangesRequest {
      return { store: '', tag: 0n, ref: undefined, range: undefined, reads: requests };
    }

    function request(tag: number, ref: ObjectRef, offset: number, length: number): ReadRangesRequest {
      return { store: '', tag: BigInt(tag), ref: wireRef(ref), range: { offset: BigInt(offset), length }, reads: [] };
    }

    it('answers every read under its tag, large and small ones and those past the end', async () => {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 3_000_000);
      await putAll(store, ref, bytes);
      const reads = Array.from({ length: 300 }, (_, i) =>
        request(i, ref, i * 10_007, i % 50 === 0 ? 2_000_000 : i + 1),
      );
      for (const requests of [reads, [together(reads)], [together(reads.slice(0, 150)), ...reads.slice(150)]]) {
        const answers = await read(requests);
        expect(answers.size).to.equal(300);
        for (const { tag, range } of reads) {
          const offset = Number(range?.offset);
          const expected = bytes.subarray(offset, offset + (range?.length ?? 0));
          expect(answers.get(tag)?.last).to.equal(1);
          expect(answers.get(tag)?.bytes.equals(expected), String(tag)).to.equal(true);
        }
      }
    });

    it('answers small reads that were asked for together in few messages, and others each in one of its own', async () => {
      const ref = newRef('packfile');
      await putAll(store, ref, makeObject('packfile', 100_000));
      const reads = Array.from({ length: 320 }, (_, i) => request(i, ref, i, 100));
      // How many share one depends on how quickly the disk answers: on a busy machine not every call has few.
      await eventually(async () => {
        messages = 0;
        expect(await read([together(reads)])).to.have.property('size', 320);
        return messages <= 40;
      }, 'the answers come in 40 messages at most');
      messages = 0;
      expect(await read(reads)).to.have.property('size', 320);
      expect(messages).to.equal(320);
    });

    it('answers the own read of a message alone, though it asks for others', async () => {
      const ref = newRef('state');
      const bytes = makeObject('state', 100);
      await putAll(store, ref, bytes);
      const answers = await read([{ ...request(1, ref, 0, 10), reads: [request(2, ref, 10, 10)] }]);
      expect(answers.get(1n)?.bytes.equals(bytes.subarray(0, 10))).to.equal(true);
      expect(answers.get(2n)?.bytes.equals(bytes.subarray(10, 20))).to.equal(true);
      expect(messages).to.equal(2);
    });

    it('refuses a message that is larger than it may be', async () => {
      const one = request(1, newRef('packfile'), 0, 10);
      const reads = Array.from({ length: 40_000 }, () => ({ ...one, ref: undefined, range: undefined, tag: 0n }));
      const error = await read([together(reads)]).then(
        () => expect.fail('it was answered'),
        (reason: ServiceError) => reason,
      );
      expect(error.code).to.equal(status.RESOURCE_EXHAUSTED);
      expect(error.details).to.contain('a message of 80000 bytes: at most 65536 are accepted');
      expect(messages).to.equal(0);
    });

    it('refuses a malformed message', async () => {
      const call = client.makeBidiStreamRequest(
        '/kloset.store.v1.StoreService/ReadRanges',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
      );
      call.write(Buffer.from([0xff, 0xff, 0xff]));
      const error = await new Promise<ServiceError>((resolve) => {
        call.once('error', resolve);
        call.resume();
      });
      expect(error.code).to.equal(status.INVALID_ARGUMENT);
      expect(error.details).to.contain('malformed').and.to.contain('/ReadRanges');
    });

    it('answers a read that fails with its own error, and the others all the same', async () => {
      const ref = newRef('state');
      await putAll(store, ref, makeObject('state', 100));
      const failing = [
        request(1, newRef('state'), 0, 10),
        request(2, ref, 0, 0),
        { ...request(3, ref, 0, 1), range: undefined },
      ];
      const inOtherStore = { ...request(4, ref, 0, 1), store: 'other' };
      const good = request(5, ref, 10, 20);
      for (const requests of [
        [...failing, inOtherStore, good],
        [together([...failing, good]), { ...together([inOtherStore]), store: 'other' }],
      ]) {
        const answers = await read(requests);
        const codes = [1, 2, 3, 4, 5].map((tag) => answers.get(BigInt(tag))?.error?.code);
        expect(codes).to.deep.equal([
          status.NOT_FOUND,
          status.INVALID_ARGUMENT,
          status.INVALID_ARGUMENT,
          status.NOT_FOUND,
          undefined,
        ]);
        expect(answers.get(5n)?.bytes).to.have.length(20);
      }
    });
  });
});
