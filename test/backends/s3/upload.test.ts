import { CreateBucketCommand, GetObjectCommand, GetObjectRetentionCommand } from '@aws-sdk/client-s3';
import { expect } from 'chai';
import type { S3Bucket } from '../../../src/backends/s3/client.js';
import { Keys } from '../../../src/backends/s3/keys.js';
import { PartBuffers, partBytes, type PartBuffer } from '../../../src/backends/s3/part-buffers.js';
import { Uploads } from '../../../src/backends/s3/upload.js';
import { canceled, type StoreError } from '../../../src/core/errors.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { deferred } from '../../support/deferred.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { cutAfter, doneButRefused, refuse } from '../../support/faults.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { openS3Store } from '../../support/s3-store.js';
import { eventually, ctx, expectFailure } from '../../support/store.js';
import { keysIn, multipartsIn, openBucket } from './bucket.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Of objects by one request, and by several parts. */
const sizes = { small: 100 * KiB, large: 9 * MiB };

/** Remembers how many buffers were in use at once, and when one was waited for. */
class CountedBuffers extends PartBuffers {
  most = 0;
  readonly asked = deferred();

  override async take(signal: AbortSignal): Promise<PartBuffer> {
    const buffer = super.take(signal);
    this.asked.resolve();
    return this.counted(await buffer);
  }

  override tryTake(): PartBuffer | undefined {
    return this.counted(super.tryTake());
  }

  private counted<T>(buffer: T): T {
    this.most = Math.max(this.most, this.held);
    return buffer;
  }
}

describe('uploads to a bucket', function () {
  const server = s3Server();
  const keys = new Keys('store');
  let proxy: FaultProxy;
  let bucket: S3Bucket;
  let buffers: CountedBuffers;
  let uploads: Uploads;

  before(async () => {
    proxy = await FaultProxy.start(server().port);
    bucket = await openBucket(server(), { port: proxy.port });
  });

  beforeEach(() => {
    proxy.heal();
    buffers = new CountedBuffers(16);
    uploads = new Uploads(bucket, { maxObjectBytes: 64 * MiB, buffers });
  });

  afterEach(async () => {
    expect(buffers.held, 'buffers in use after all uploads').to.equal(0);
    // Some removals aren't waited for.
    await eventually(async () => (await multipartsIn(bucket)).length === 0, 'no multipart upload is left');
  });

  after(async () => {
    bucket?.close();
    await proxy?.close();
  });

  const putBody = async (ref: ObjectRef, body: AsyncIterable<Uint8Array>, signal = ctx.signal): Promise<boolean> =>
    (await uploads.put(ref, keys.object(ref), body, { signal })).created;

  const put = (ref: ObjectRef, bytes: Uint8Array, chunkSize?: number): Promise<boolean> =>
    putBody(ref, inChunks(bytes, chunkSize));

  async function stored(ref: ObjectRef): Promise<Buffer> {
    const { Body } = await server().client.send(
      new GetObjectCommand({ Bucket: server().bucket, Key: keys.object(ref) }),
    );
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async function isStored(ref: ObjectRef): Promise<boolean> {
    return (await keysIn(bucket, keys.object(ref))).length > 0;
  }

  describe('store what they are given,', () => {
    for (const [what, size, parts] of [
      ['the shortest object', 48, 0],
      ['one that just needs no part buffer', 64 * KiB, 0],
      ['one that just needs one', 64 * KiB + 1, 0],
      ['a full part', partBytes, 0],
      ['a byte more', partBytes + 1, 2],
      ['two full parts', 2 * partBytes, 2],
      ['several parts', 3 * partBytes - 1, 3],
    ] as const) {
      it(`${what}, in ${parts === 0 ? 'one request' : `${parts} parts`}`, async () => {
        const ref = newRef('packfile');
        const bytes = makeObject('packfile', size);
        expect(await put(ref, bytes, 99_991)).to.equal(true);
        expect((await stored(ref)).equals(bytes)).to.equal(true);
        expect(proxy.count('PutObject')).to.equal(parts === 0 ? 1 : 0);
        expect(proxy.count('UploadPart')).to.equal(parts);
      });
    }

    it('from chunks of any size, empty ones among them', async () => {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 9 * MiB);
      async function* body(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 0);
        yield* inChunks(bytes.subarray(0, 70_000), 7);
        yield bytes.subarray(0, 0);
        yield bytes.subarray(70_000);
        yield bytes.subarray(0, 0);
      }
      expect(await putBody(ref, body())).to.equal(true);
      expect((await stored(ref)).equals(bytes)).to.equal(true);
    });
  });

  for (const [what, size] of Object.entries(sizes)) {
    describe(`of a ${what} object`, () => {
      const bytes = makeObject('packfile', size);
      const others = (seed: string): Buffer => makeObject('packfile', size, seed);

      it('change nothing where the same bytes are stored', async () => {
        const ref = newRef('packfile');
        await put(ref, bytes);
        expect(await put(ref, bytes)).to.equal(false);
        expect((await stored(ref)).equals(bytes)).to.equal(true);
      });

      it('are refused where other bytes are stored', async () => {
        const ref = newRef('packfile');
        await put(ref, bytes);
        for (const other of [others('other'), bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)])]) {
          const { message } = await expectFailure(put(ref, other), 'already_exists');
          expect(message).to.equal(
            'a packfile with this MAC and other bytes is stored already, and packfiles are never replaced',
          );
        }
        expect((await stored(ref)).equals(bytes)).to.equal(true);
      });

      it('have one creator where 16 put the same bytes at once', async () => {
        const ref = newRef('packfile');
        const created = await Promise.all(Array.from({ length: 16 }, () => put(ref, bytes)));
        expect(created.filter(Boolean)).to.have.length(1);
        expect((await stored(ref)).equals(bytes)).to.equal(true);
      });

      it('have one winner where 16 put other bytes at once', async () => {
        const ref = newRef('packfile');
        const bodies = Array.from({ length: 16 }, (_, i) => others(`writer ${i}`));
        const puts = await Promise.allSettled(bodies.map((body) => put(ref, body)));
        const winners = bodies.filter((_, i) => puts[i]?.status === 'fulfilled');
        expect(winners).to.have.length(1);
        for (const result of puts) {
          if (result.status === 'rejected') expect((result.reason as StoreError).code).to.equal('already_exists');
        }
        expect((await stored(ref)).equals(winners[0] ?? Buffer.alloc(0))).to.equal(true);
      });

      it('leave nothing where the body fails', async () => {
        const ref = newRef('packfile');
        async function* body(): AsyncGenerator<Uint8Array> {
          yield* inChunks(bytes);
          throw canceled();
        }
        await expectFailure(putBody(ref, body()), 'canceled');
        expect(await isStored(ref)).to.equal(false);
      });

      it('are too large over the limit, and leave nothing', async () => {
        const ref = newRef('packfile');
        uploads = new Uploads(bucket, { maxObjectBytes: size - 1, buffers });
        await expectFailure(put(ref, bytes), 'too_large');
        expect(await isStored(ref)).to.equal(false);
      });

      it('were not the creator where they met another one that stored the same bytes', async () => {
        const ref = newRef('packfile');
        const write = size > partBytes ? 'CompleteMultipartUpload' : 'PutObject';
        proxy.spoil(write, doneButRefused(409, 'ConditionalRequestConflict'));
        expect(await put(ref, bytes)).to.equal(false);
      });

      it('fail where what is stored can not be compared', async () => {
        const ref = newRef('packfile');
        await put(ref, bytes);
        proxy.spoil('GetObject', cutAfter(size / 2), { times: Infinity });
        await expectFailure(put(ref, bytes), 'unavailable');
      });

      it('say what to do where the name is taken and has no object', async () => {
        const ref = newRef('packfile');
        const write = size > partBytes ? 'CompleteMultipartUpload' : 'PutObject';
        const spoiled = proxy.spoil(write, refuse(412, 'PreconditionFailed'), { times: Infinity });
        const { message } = await expectFailure(put(ref, bytes), 'unavailable');
        expect(message).to.contain('remove the marker').and.to.contain('purge that object from the trash');
        expect(spoiled.hits).to.equal(4);
      });
    });
  }

  describe('of a large object', () => {
    const bytes = makeObject('packfile', sizes.large);

    it('send no part of what is stored already', async () => {
      const ref = newRef('packfile');
      await put(ref, bytes);
      proxy.heal();
      expect(await put(ref, bytes)).to.equal(false);
      expect(proxy.count('CreateMultipartUpload') + proxy.count('UploadPart')).to.equal(0);
    });

    it('are to be tried again where what was stored is deleted meanwhile', async () => {
      const ref = newRef('packfile');
      await put(ref, bytes);
      async function* body(): AsyncGenerator<Uint8Array> {
        yield* inChunks(bytes.subarray(0, 9 * MiB - 1));
        await bucket.delete(keys.object(ref));
        yield* inChunks(bytes.subarray(9 * MiB - 1));
      }
      await expectFailure(putBody(ref, body()), 'unavailable');
      expect(await put(ref, bytes)).to.equal(true);
    });

    it('leave nothing where a part is refused, and read no more', async () => {
      const ref = newRef('packfile');
      proxy.spoil('UploadPart', refuse(403, 'AccessDenied'), { times: Infinity });
      let isClosed = false;
      async function* body(): AsyncGenerator<Uint8Array> {
        try {
          for (let at = 0; at < 64; at++) yield at === 0 ? bytes.subarray(0, MiB) : bytes.subarray(MiB, 2 * MiB);
          throw new Error('read to the end');
        } finally {
          isClosed = true;
        }
      }
      await expectFailure(putBody(ref, body()), 'unavailable');
      expect(isClosed).to.equal(true);
      expect(await isStored(ref)).to.equal(false);
    });

    it('end soon where the caller goes away while parts are sent', async () => {
      const ref = newRef('packfile');
      const caller = new AbortController();
      const never = deferred();
      proxy
        .spoil('UploadPart', () => never.promise, { times: Infinity })
        .hit.then(
          () => caller.abort(canceled()),
          () => undefined,
        );
      await expectFailure(putBody(ref, inChunks(bytes), caller.signal), 'canceled');
      never.resolve();
      expect(await isStored(ref)).to.equal(false);
    });
  });

  describe('share a budget of memory', () => {
    it('which 64 of them at once never exceed', async function () {
      this.timeout(300_000);
      const bytes = makeObject('packfile', 9 * MiB);
      const refs = Array.from({ length: 64 }, () => newRef('packfile'));
      const created = await Promise.all(refs.map((ref) => put(ref, bytes, MiB)));
      expect(created.every(Boolean)).to.equal(true);
      expect(buffers.most).to.equal(16);
      for (const ref of refs) await bucket.delete(keys.object(ref));
    });

    it('and go on with a single buffer', async () => {
      buffers = new CountedBuffers(1);
      uploads = new Uploads(bucket, { maxObjectBytes: 64 * MiB, buffers });
      const bytes = makeObject('packfile', 3 * partBytes - 1);
      const refs = Array.from({ length: 4 }, () => newRef('packfile'));
      await Promise.all(refs.map((ref) => put(ref, bytes)));
      for (const ref of refs) expect((await stored(ref)).equals(bytes)).to.equal(true);
      expect(buffers.most).to.equal(1);
    });

    it('which locks and small states do not wait for', async () => {
      const held = await Promise.all(Array.from({ length: 16 }, () => buffers.take(ctx.signal)));
      expect(await put(newRef('lock'), makeObject('lock', 64 * KiB))).to.equal(true);
      expect(await put(newRef('state'), makeObject('state', 64 * KiB))).to.equal(true);
      for (const buffer of held) buffer.release();
    });

    for (const [what, sent] of [
      ['first part', 100 * KiB],
      ['first part whole', partBytes],
      ['second part', partBytes + 100 * KiB],
    ] as const) {
      it(`which no slow client keeps from others, not with its ${what}`, async () => {
        buffers = new CountedBuffers(1, { waitMs: 60_000, fillMs: 100 });
        uploads = new Uploads(bucket, { maxObjectBytes: 64 * MiB, buffers });
        const gone = deferred();
        const isSlow = deferred();
        const bytes = makeObject('packfile', 9 * MiB);
        async function* slowBody(): AsyncGenerator<Uint8Array> {
          yield bytes.subarray(0, sent);
          isSlow.resolve();
          await gone.promise;
          yield bytes.subarray(sent);
        }
        const slow = newRef('packfile');
        const failed = expectFailure(putBody(slow, slowBody()), 'too_slow');
        await isSlow.promise;
        const others = [newRef('packfile'), newRef('packfile')];
        await Promise.all(others.map((ref) => put(ref, makeObject('packfile', 100 * KiB, ref.mac))));
        expect((await failed).message).to.match(/^too slow: less than 8 MiB in 0.1 s, while other uploads waited/);
        gone.resolve();
        for (const ref of others)
          expect((await stored(ref)).equals(makeObject('packfile', 100 * KiB, ref.mac))).to.equal(true);
        expect(await isStored(slow)).to.equal(false);
      });
    }

    it('until the caller goes away', async () => {
      buffers = new CountedBuffers(1);
      uploads = new Uploads(bucket, { maxObjectBytes: 64 * MiB, buffers });
      const held = buffers.tryTake();
      const caller = new AbortController();
      const putting = putBody(newRef('packfile'), inChunks(makeObject('packfile', 64 * KiB + 1)), caller.signal);
      await buffers.asked.promise;
      caller.abort(canceled());
      await expectFailure(putting, 'canceled');
      expect(proxy.requests).to.deep.equal([]);
      held?.release();
    });
  });

  it('replace locks', async () => {
    const ref = newRef('lock');
    expect(await put(ref, makeObject('lock', 100, 'first'))).to.equal(true);
    const second = makeObject('lock', 120, 'second');
    expect(await put(ref, second)).to.equal(true);
    expect((await stored(ref)).equals(second)).to.equal(true);
  });

  it('allow objects no larger than a multipart upload may have', () => {
    expect(new Uploads(bucket, { maxObjectBytes: 2 ** 40 }).maxObjectBytes).to.equal(10_000 * 8 * MiB);
    expect(uploads.maxObjectBytes).to.equal(64 * MiB);
  });

  describe('lock objects in a bucket with object lock', () => {
    const nowMs = Date.parse('2090-01-01T00:00:00Z');
    const hour = 3600_000;
    let locking: S3Bucket;

    before(async () => {
      await server().client.send(new CreateBucketCommand({ Bucket: 'locking', ObjectLockEnabledForBucket: true }));
      locking = await openBucket(server(), { name: 'locking', objectLock: 'governance' });
    });

    after(() => locking?.close());

    it('and are refused by a store whose bucket has none, with what to do', async () => {
      const prefix = await server().emptyStore();
      const options = { retentionMs: hour, s3: { tls: false, objectLock: 'governance' as const } };
      const { message } = await expectFailure(openS3Store(server(), prefix, options), 'invalid_argument');
      expect(message).to.match(/make a new bucket with object lock .* or set s3-object-lock to off/);
    });

    async function retention(ref: ObjectRef): Promise<unknown> {
      const command = new GetObjectRetentionCommand({ Bucket: 'locking', Key: keys.object(ref) });
      return (await server().client.send(command)).Retention;
    }

    async function putLocking(ref: ObjectRef, size: number): Promise<void> {
      const locked = new Uploads(locking, { maxObjectBytes: 64 * MiB, retentionMs: hour, now: () => nowMs, buffers });
      await locked.put(ref, keys.object(ref), inChunks(makeObject(ref.kind, size)), ctx);
    }

    for (const [what, size] of Object.entries(sizes)) {
      it(`until the end of the retention, ${what} ones`, async () => {
        const ref = newRef('packfile');
        await putLocking(ref, size);
        expect(await retention(ref)).to.deep.equal({
          Mode: 'GOVERNANCE',
          RetainUntilDate: new Date(nowMs + hour),
        });
      });
    }

    it('but not the locks of a store', async () => {
      const ref = newRef('lock');
      await putLocking(ref, 100);
      const error = await retention(ref).catch((failed: Error) => failed.name);
      expect(error).to.equal('NoSuchObjectLockConfiguration');
    });
  });
});
