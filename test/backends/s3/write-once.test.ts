import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { S3Bucket } from '../../../src/backends/s3/client.js';
import { Keys } from '../../../src/backends/s3/keys.js';
import { describeUnproven, proveWriteOnce, type WriteOnceProof } from '../../../src/backends/s3/write-once.js';
import { FaultProxy, type Fault } from '../../support/fault-proxy.js';
import { doneButRefused, lostAnswer, refuse } from '../../support/faults.js';
import { testsMinio } from '../../support/s3-programs.js';
import { s3Server, type S3ServerOptions } from '../../support/s3-server.js';
import { expectFailure } from '../../support/store.js';
import { keysIn, multipartsIn, openBucket } from './bucket.js';

type Program = NonNullable<S3ServerOptions['program']>;

function setUp(program: Program): () => { bucket: S3Bucket; proxy: FaultProxy; keys: Keys } {
  const server = s3Server({ program });
  let proxy: FaultProxy;
  let bucket: S3Bucket;
  let keys: Keys;
  let count = 0;

  before(async () => {
    proxy = await FaultProxy.start(server().port);
    bucket = await openBucket(server(), { port: proxy.port });
  });

  beforeEach(() => {
    proxy.heal();
    keys = new Keys(`store-${++count}`);
  });

  after(async () => {
    bucket?.close();
    await proxy?.close();
  });
  return () => ({ bucket, proxy, keys });
}

/** The service says that it has written the object, whatever it did. */
const saidToBeDone: Fault = async (exchange) => {
  (await exchange.send()).resume();
  const rawHeaders = ['Content-Length', '0', 'ETag', '"0"'];
  await exchange.pass(Object.assign(Readable.from([]), { statusCode: 200, rawHeaders }) as IncomingMessage);
};

function sentence(proof: WriteOnceProof): string {
  if (proof.isProven) throw new Error('it was proven');
  return describeUnproven(proof);
}

for (const program of ['versitygw', ...(testsMinio ? (['minio'] as const) : [])] as const) {
  describe(`the proof that ${program} writes once`, () => {
    const at = setUp(program);

    it('is found', async () => {
      const { bucket, keys, proxy } = at();
      expect(await proveWriteOnce(bucket, keys)).to.deep.equal({ isProven: true });
      expect(proxy.count('DeleteObject'), 'nothing needs the right to delete').to.equal(0);
      expect(await multipartsIn(bucket)).to.deep.equal([]);
      for (const key of await keysIn(bucket, keys.root)) expect(key).to.match(/^store-\d+\/kloset-gateway\//);
    });

    it('has writes race only once', async () => {
      const { bucket, keys, proxy } = at();
      await proveWriteOnce(bucket, keys);
      const written = await keysIn(bucket, keys.root);
      proxy.heal();
      expect(await proveWriteOnce(bucket, keys)).to.deep.equal({ isProven: true });
      expect(proxy.requests).to.have.length(6);
      expect(await keysIn(bucket, keys.root)).to.have.members(written);
    });

    it('is found by replicas that start at once', async () => {
      const { bucket, keys } = at();
      const proofs = await Promise.all([1, 2, 3].map(() => proveWriteOnce(bucket, keys)));
      expect(proofs).to.deep.equal([{ isProven: true }, { isProven: true }, { isProven: true }]);
    });

    it('is found though an answer was lost', async () => {
      const { bucket, keys, proxy } = at();
      proxy.spoil('PutObject', lostAnswer);
      proxy.spoil('CompleteMultipartUpload', lostAnswer);
      expect(await proveWriteOnce(bucket, keys)).to.deep.equal({ isProven: true });
    });

    it('is missing where several of the writes that race succeed', async () => {
      const { bucket, keys, proxy } = at();
      proxy.spoil(({ operation, key }) => operation === 'PutObject' && key.includes('race-'), saidToBeDone, {
        times: Infinity,
      });
      expect(sentence(await proveWriteOnce(bucket, keys))).to.match(
        /tried 8 times PutObject with If-None-Match: \* at once on \S+, got success for 8 of them/,
      );
    });

    it('is found though the answer to the winner of a race was lost', async () => {
      const { bucket, keys, proxy } = at();
      proxy.spoil(({ key }) => key.includes('race-'), lostAnswer, { times: 8 });
      expect(await proveWriteOnce(bucket, keys)).to.deep.equal({ isProven: true });
    });

    it('is found though a Complete whose answer was lost found no upload when it was repeated', async () => {
      const { bucket, keys, proxy } = at();
      proxy.spoil('CompleteMultipartUpload', doneButRefused(404, 'NoSuchUpload'));
      proxy.spoil(
        ({ operation, key }) => operation === 'CompleteMultipartUpload' && key.includes('race-'),
        doneButRefused(404, 'NoSuchUpload'),
        { times: 8 },
      );
      expect(await proveWriteOnce(bucket, keys)).to.deep.equal({ isProven: true });
    });

    it('is found though writes met others in progress', async () => {
      const { bucket, keys, proxy } = at();
      proxy.spoil('PutObject', refuse(409, 'ConditionalRequestConflict'), { times: 2 });
      proxy.spoil('CompleteMultipartUpload', refuse(409, 'ConditionalRequestConflict'), { times: 2 });
      expect(await proveWriteOnce(bucket, keys)).to.deep.equal({ isProven: true });
    });

    it('is missing where the condition is not implemented', async () => {
      const { bucket, keys, proxy } = at();
      proxy.spoil('PutObject', refuse(501, 'NotImplemented'), { times: Infinity });
      expect(sentence(await proveWriteOnce(bucket, keys))).to.match(
        /^the store is read-only.*tried PutObject with If-None-Match: \* once on \S+, got PutObject: 501, NotImplemented/,
      );
    });

    for (const operation of ['PutObject', 'CompleteMultipartUpload'] as const) {
      it(`is missing where ${operation} with the condition is answered 400`, async () => {
        const { bucket, keys, proxy } = at();
        proxy.spoil(operation, refuse(400, 'InvalidArgument'), { times: Infinity });
        expect(sentence(await proveWriteOnce(bucket, keys))).to.match(
          new RegExp(`^the store is read-only.*tried ${operation} .*, got ${operation}: 400, InvalidArgument`),
        );
      });
    }

    for (const code of ['ExpiredToken', 'AuthorizationHeaderMalformed']) {
      it(`fails, rather than be missing, where a write is answered 400 with ${code}`, async () => {
        const { bucket, keys, proxy } = at();
        proxy.spoil('PutObject', refuse(400, code), { times: Infinity });
        await expectFailure(proveWriteOnce(bucket, keys), 'unavailable');
      });
    }

    it('fails, rather than be missing, where the keys may not write', async () => {
      const { bucket, keys, proxy } = at();
      proxy.spoil('PutObject', refuse(403, 'AccessDenied'), { times: Infinity });
      await expectFailure(proveWriteOnce(bucket, keys), 'unavailable');
    });
  });
}

describe('the proof that gofakes3 writes once', () => {
  const at = setUp('gofakes3');

  it('is missing, since it ignores the condition of a Complete', async () => {
    const { bucket, keys } = at();
    expect(sentence(await proveWriteOnce(bucket, keys))).to.match(
      /tried CompleteMultipartUpload with If-None-Match: \* twice on \S+, got success both times; to write, use a service/,
    );
  });
});
