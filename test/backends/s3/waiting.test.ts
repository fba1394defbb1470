import { expect } from 'chai';
import { rename, writeFile } from 'node:fs/promises';
import type { S3Bucket } from '../../../src/backends/s3/client.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { answerStalledAfter, held, heldUntil, rewritten, slowDown } from '../../support/faults.js';
import { HttpStore } from '../../support/http-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { openS3Store, startS3Gateway } from '../../support/s3-store.js';
import { expectFailure, putAll } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';
import { keysIn, multipartsIn, openBucket } from './bucket.js';

const MiB = 1024 * 1024;

describe('waiting for an S3 service', () => {
  const server = s3Server();
  let proxy: FaultProxy;
  let bucket: S3Bucket;

  const bytes = makeObject('packfile', 40 * MiB);

  before(async () => {
    proxy = await FaultProxy.start(server().port);
    await server().put('waiting/large', bytes);
  });

  beforeEach(async () => {
    proxy.heal();
    bucket = await openBucket(server(), { port: proxy.port, silenceMs: 600 });
  });

  afterEach(() => bucket.close());

  after(() => proxy?.close());

  async function rest(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(Uint8Array.from(chunk));
    return Buffer.concat(all);
  }

  const readLarge = async (): Promise<Buffer> => rest((await bucket.get('waiting/large', undefined)).body);

  /** Waits for longer than the service may be silent. */
  async function outlastSilence(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      proxy.spoil('GetObject', answerStalledAfter(1000));
      await expectFailure(readLarge(), 'unavailable');
    }
  }

  for (const [what, earlier] of [
    ['the first download', 0],
    ['others', 1],
  ] as const) {
    it(`does not count while the client takes its time: ${what}`, async () => {
      for (let i = 0; i < earlier; i++) await bucket.head('waiting/large');
      const chunks = (await bucket.get('waiting/large', undefined)).body[Symbol.asyncIterator]();
      const first = Uint8Array.from((await chunks.next()).value as Uint8Array);
      await outlastSilence();
      const others = await rest({ [Symbol.asyncIterator]: () => chunks });
      expect(Buffer.concat([first, others]).equals(bytes)).to.equal(true);
    });

    it(`ends where an answer stops in its middle: ${what}`, async () => {
      for (let i = 0; i < earlier; i++) await bucket.head('waiting/large');
      proxy.spoil('GetObject', answerStalledAfter(5 * MiB));
      await expectFailure(readLarge(), 'unavailable');
    });
  }

  it('ends where an answer that is read into a buffer stops in its middle', async () => {
    await bucket.head('waiting/large');
    const read = async (): Promise<Buffer> => {
      const buffer = Buffer.alloc(100_000);
      await (await bucket.get('waiting/large', { start: 0, end: buffer.length - 1 })).readInto(buffer);
      return buffer;
    };
    expect((await read()).equals(bytes.subarray(0, 100_000))).to.equal(true);
    proxy.spoil('GetObject', answerStalledAfter(50_000));
    await expectFailure(read(), 'unavailable');
  });

  it('ends where a list stops in its middle, and the list is asked for again', async () => {
    await bucket.head('waiting/large');
    const spoiled = proxy.spoil('ListObjectsV2', answerStalledAfter(50), { times: 2 });
    expect(await keysIn(bucket, 'waiting/')).to.deep.equal(['waiting/large']);
    expect(spoiled.hits).to.equal(2);
  });

  it('ends where no answer comes, and it is asked again', async () => {
    await bucket.head('waiting/large');
    const spoiled = proxy.spoil('GetObject', held, { times: 2 });
    expect((await readLarge()).equals(bytes)).to.equal(true);
    expect(spoiled.hits).to.equal(2);
  });

  it('takes longer where the service has much to take', async () => {
    await bucket.head('waiting/large');
    const taken = outlastSilence();
    proxy.spoil('PutObject', heldUntil(taken));
    const outcome = await bucket.put('waiting/put', bytes.subarray(0, 8 * MiB), { ifAbsent: true });
    await taken;
    expect([outcome, proxy.count('PutObject')]).to.deep.equal(['written', 1]);
  });

  it('ends where a list of uploads goes round in circles', async () => {
    const again = rewritten((body) =>
      body
        .replace(/<(NextKeyMarker|NextUploadIdMarker)>.*?<\/\1>/g, '')
        .replace(/<IsTruncated>.*<\/IsTruncated>/, '<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>'),
    );
    proxy.spoil('ListMultipartUploads', again, { times: 5 });
    const error = await expectFailure(multipartsIn(bucket), 'unavailable');
    expect(String(error.cause)).to.include('malformed answer: its next page');
  });

  it('ends when the store is closed, and nothing is sent any more', async function () {
    this.timeout(10_000);
    const prefix = await server().emptyStore();
    const store = await openS3Store(server(), prefix, { port: proxy.port });
    const spoiled = proxy.spoil(() => true, slowDown, { times: Infinity });
    const put = putAll(store, newRef('state'), makeObject('state', 1000));
    await spoiled.hit;
    await store.close();
    await expectFailure(put, 'unavailable');
    const sent = proxy.requests.length;
    await expectFailure(putAll(store, newRef('state'), makeObject('state', 1000)), 'canceled');
    expect(proxy.requests.length).to.equal(sent);
  });

  it('ends when a gateway stops that has an upload to a service without time', async function () {
    this.timeout(10_000);
    const gateway = await startS3Gateway(server(), await server().emptyStore(), { port: proxy.port });
    const client = new HttpStore(gateway.httpPort);
    const started = proxy.spoil('UploadPart', slowDown, { times: Infinity });
    proxy.spoil('AbortMultipartUpload', slowDown, { times: Infinity });
    const put = putAll(client, newRef('packfile'), makeObject('packfile', 9 * MiB)).then(
      () => 'done',
      () => 'failed',
    );
    await started.hit;
    await gateway.close();
    expect(await put).to.equal('failed');
    await client.close();
  });

  it('needs no restart for other credentials in a file', async () => {
    const credentialsFile = `${await tempFolder()}/credentials`;
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = server().env;
    const write = async (secret: string | undefined): Promise<void> => {
      const text = `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
      await writeFile(`${credentialsFile}.new`, text);
      await rename(`${credentialsFile}.new`, credentialsFile);
    };
    await write('an-old-secret');
    const own = await openBucket(server(), { credentialsFile, credentialsMs: 0 });
    await expectFailure(own.head('waiting/large'), 'unavailable');
    await write(secret);
    expect(await own.head('waiting/large')).to.include({ size: bytes.length });
    own.close();
  });
});
