import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedStore } from '../../../src/backends/backend.js';
import { ifPresent } from '../../../src/core/errors.js';
import type { Mac } from '../../../src/core/object.js';
import type { OpContext } from '../../../src/core/store.js';
import { FaultProxy, type Fault } from '../../support/fault-proxy.js';
import {
  cutAfter,
  doneButRefused,
  held,
  lostAnswer,
  lostRequest,
  refuse,
  rewritten,
  slowDown,
} from '../../support/faults.js';
import { HttpStore } from '../../support/http-store.js';
import { inChunks, makeObject, newRef, randomMacIn } from '../../support/objects.js';
import type { S3Operation, S3Request } from '../../support/s3-request.js';
import { s3Server } from '../../support/s3-server.js';
import { openS3Store, startS3Gateway } from '../../support/s3-store.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../../support/store.js';

const MiB = 1024 * 1024;

/** One request, and several parts. */
const sizes = { small: 100_000, large: 8.1 * MiB };

describe('a store in S3, where the service or the network fails,', function () {
  this.timeout(60_000);
  const server = s3Server();
  let proxy: FaultProxy;
  let prefix: string;
  let store: OpenedStore;
  let direct: OpenedStore;

  before(async () => {
    proxy = await FaultProxy.start(server().port);
    prefix = await server().emptyStore();
    store = await openS3Store(server(), prefix, { port: proxy.port });
    direct = await openS3Store(server(), prefix);
  });

  beforeEach(() => proxy.heal());

  after(async () => {
    await store?.close();
    await direct?.close();
    await proxy?.close();
  });

  describe('lists', () => {
    let macs: Mac[];

    before(async () => {
      // More than the 1000 that fit into a page.
      macs = Array.from({ length: 2100 }, () => randomMacIn('ab'));
      const bucket = join(server().folder, prefix, 'packfiles', 'ab');
      await mkdir(bucket, { recursive: true });
      for (const mac of macs) await writeFile(join(bucket, mac), '');
    });

    const list = async (): Promise<Mac[]> => (await listAll(store, 'packfile')).sort();

    /** The requests for one of the pages, in the order in which they are asked for; the first pages of all lists count as one. */
    const isPage = (page: number) => {
      const tokens: (string | null)[] = [];
      return ({ operation, query }: S3Request): boolean => {
        if (operation !== 'ListObjectsV2') return false;
        const token = query.get('continuation-token');
        if (!tokens.includes(token)) tokens.push(token);
        return tokens.indexOf(token) === page - 1;
      };
    };

    for (const page of [1, 2, 3]) {
      it(`all objects, once, where page ${page} failed at first`, async () => {
        for (const fault of [refuse(500, 'InternalError'), slowDown, lostRequest, cutAfter(200)]) {
          const spoiled = proxy.spoil(isPage(page), fault);
          expect(await list()).to.deep.equal([...macs].sort());
          expect(spoiled.hits).to.equal(1);
          proxy.heal();
        }
      });

      it(`nothing as if it were all, where page ${page} is refused`, async () => {
        const spoiled = proxy.spoil(isPage(page), refuse(403, 'AccessDenied'), { times: Infinity });
        await expectFailure(list(), 'unavailable');
        expect(spoiled.hits).to.be.at.least(1);
      });
    }

    for (const page of [1, 2]) {
      it(`nothing as if it were all, where page ${page} does not say how to go on`, async () => {
        const cut = rewritten((body) => body.replace(/<NextContinuationToken>.*<\/NextContinuationToken>/, ''));
        const spoiled = proxy.spoil(isPage(page), cut);
        await expectFailure(list(), 'unavailable');
        expect(spoiled.hits).to.equal(1);
      });
    }
  });

  describe('reads', () => {
    const bytes = makeObject('packfile', 3 * MiB);
    const ref = newRef('packfile');

    before(() => putAll(direct, ref, bytes));

    for (const cutAt of [0, 1, 1000, 2 * MiB]) {
      it(`never a part as if it were the whole, where the answer is cut after ${cutAt} bytes`, async () => {
        for (const range of [undefined, { offset: 100, length: 2 * MiB + 100 }]) {
          proxy.spoil('GetObject', cutAfter(cutAt), { times: Infinity });
          await expectFailure(getAll(store, ref, range), 'unavailable');
          proxy.heal();
          const wanted = range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length);
          expect((await getAll(store, ref, range)).equals(wanted)).to.equal(true);
        }
      });
    }

    it('what is there, once the service has time for it', async () => {
      for (const fault of [slowDown, lostRequest, refuse(500, 'InternalError')]) {
        const spoiled = [proxy.spoil('GetObject', fault), proxy.spoil('HeadObject', fault)];
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
        expect((await store.stat(ref, ctx)).size).to.equal(bytes.length);
        expect(spoiled.map(({ hits }) => hits)).to.deep.equal([1, 1]);
        proxy.heal();
      }
    });

    it('nothing as absent that the service does not answer for', async () => {
      for (const [status, code] of [
        [403, 'AccessDenied'],
        [404, 'NoSuchBucket'],
        [403, 'RequestTimeTooSkewed'],
      ] as const) {
        proxy.spoil(({ key }) => key !== '', refuse(status, code), { times: Infinity });
        await expectFailure(getAll(store, newRef('packfile')), 'unavailable');
        proxy.heal();
      }
    });

    it('and breaks its answer off where the client has had the beginning', async () => {
      const gateway = await startS3Gateway(server(), prefix, { port: proxy.port });
      const client = new HttpStore(gateway.httpPort);
      proxy.spoil('GetObject', cutAfter(2 * MiB), { times: Infinity });
      const failed = await getAll(client, ref).then(
        () => false,
        () => true,
      );
      expect(failed).to.equal(true);
      await client.close();
      await gateway.close();
    });
  });

  for (const [size, length] of Object.entries(sizes)) {
    describe(`puts a ${size} object`, () => {
      const steps: readonly S3Operation[] =
        size === 'small' ? ['PutObject'] : ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];

      for (const step of steps) {
        const faults: Readonly<Record<string, [Fault, number]>> = {
          'is refused with SlowDown, twice': [slowDown, 2],
          'is refused with 500': [refuse(500, 'InternalError'), 1],
          'is lost': [lostRequest, 1],
          'is done, and its answer lost': [lostAnswer, 1],
          'is done, and answered with 500': [doneButRefused(500, 'InternalError'), 1],
          ...(step === 'CompleteMultipartUpload' && {
            'is answered with 200 and an error': [refuse(200, 'InternalError'), 1],
            'is done, and answered with 200 and an error': [doneButRefused(200, 'InternalError'), 1],
            'is done, and there is no such upload when it is repeated': [doneButRefused(404, 'NoSuchUpload'), 1],
          }),
          ...(step === 'PutObject' && {
            'is in conflict with another one that came to nothing': [refuse(409, 'ConditionalRequestConflict'), 1],
          }),
        };

        for (const [what, [fault, times]] of Object.entries(faults)) {
          it(`whole, where ${step} ${what}`, async () => {
            const ref = newRef('packfile');
            const bytes = makeObject('packfile', length, what);
            const spoiled = proxy.spoil(step, fault, { times });
            expect(await putAll(store, ref, bytes), 'created').to.equal(true);
            expect(spoiled.hits).to.equal(times);
            expect((await getAll(direct, ref)).equals(bytes)).to.equal(true);
          });
        }
      }

      const last = steps.at(-1) ?? 'PutObject';

      it('whole, where it is said to exist and then does not, once', async () => {
        const ref = newRef('packfile');
        const bytes = makeObject('packfile', length);
        proxy.spoil(last, refuse(412, 'PreconditionFailed'));
        await putAll(store, ref, bytes);
        expect((await getAll(direct, ref)).equals(bytes)).to.equal(true);
      });

      if (size === 'large') {
        it('not at all, where its parts are gone, and does not blame the operator', async () => {
          proxy.spoil(last, refuse(404, 'NoSuchUpload'), { times: Infinity });
          const put = putAll(store, newRef('packfile'), makeObject('packfile', length));
          expect((await expectFailure(put, 'unavailable')).message).to.include('try again');
        });

        it('the next time, where it was in conflict with another one that came to nothing', async () => {
          const ref = newRef('packfile');
          const bytes = makeObject('packfile', length);
          proxy.spoil(last, refuse(409, 'ConditionalRequestConflict'));
          await expectFailure(putAll(store, ref, bytes), 'unavailable');
          expect(await ifPresent(getAll(direct, ref))).to.equal(undefined);
          expect(await putAll(store, ref, bytes), 'created').to.equal(true);
          expect((await getAll(direct, ref)).equals(bytes)).to.equal(true);
        });
      }

      it('not at all, where it is said to exist and never does', async () => {
        const ref = newRef('packfile');
        proxy.spoil(last, refuse(412, 'PreconditionFailed'), { times: Infinity });
        await expectFailure(putAll(store, ref, makeObject('packfile', length)), 'unavailable');
        expect(await ifPresent(getAll(direct, ref))).to.equal(undefined);
        expect(await server().multiparts(prefix)).to.not.include(ref.mac);
      });

      it('not at all, and not for ever, where the service has no time and the caller goes', async () => {
        for (const fault of [slowDown, held]) {
          const ref = newRef('packfile');
          const abort = new AbortController();
          const spoiled = proxy.spoil(last, fault, { times: Infinity });
          const put = store.put(ref, inChunks(makeObject('packfile', length)), { signal: abort.signal });
          await spoiled.hit;
          abort.abort();
          await expectFailure(put, 'canceled');
          expect(await ifPresent(getAll(direct, ref))).to.equal(undefined);
          proxy.heal();
          expect(await putAll(store, ref, makeObject('packfile', length))).to.equal(true);
        }
      });
    });
  }

  it('deletes what it says that it has deleted', async () => {
    for (const fault of [slowDown, lostRequest, lostAnswer, doneButRefused(500, 'InternalError')]) {
      const ref = newRef('packfile');
      await putAll(direct, ref, makeObject('packfile', 1000));
      proxy.spoil('DeleteObject', fault);
      await store.delete(ref, ctx);
      await expectFailure(getAll(direct, ref), 'not_found');
    }
  });

  it('replaces a lock where the answer was lost', async () => {
    const ref = newRef('lock');
    await putAll(store, ref, makeObject('lock', 100, 'first'));
    proxy.spoil('PutObject', lostAnswer);
    const second = makeObject('lock', 120, 'second');
    await putAll(store, ref, second);
    expect((await getAll(direct, ref)).equals(second)).to.equal(true);
  });

  it('ends every operation whose caller goes, where the service does not answer', async () => {
    const ref = newRef('state');
    await putAll(direct, ref, makeObject('state', 1000));
    const operations: Readonly<Record<string, (own: OpContext) => Promise<unknown>>> = {
      config: (own) => store.config(own),
      list: (own) => store.list('state', own)[Symbol.asyncIterator]().next(),
      stat: (own) => store.stat(ref, own),
      get: (own) => store.get(ref, undefined, own),
      put: (own) => store.put(newRef('state'), inChunks(makeObject('state', 1000)), own),
      delete: (own) => store.delete(ref, own),
    };
    for (const operation of Object.values(operations)) {
      const abort = new AbortController();
      const spoiled = proxy.spoil(() => true, held);
      const result = operation({ signal: abort.signal });
      await spoiled.hit;
      abort.abort();
      await expectFailure(result, 'canceled');
    }
    expect(await listAll(store, 'state')).to.include(ref.mac);
  });

  it('works again once the service is back', async () => {
    const ref = newRef('state');
    const bytes = makeObject('state', 1000);
    await server().pause();
    const putting = putAll(store, ref, bytes);
    await server().resume();
    await putting;
    expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
  });
});
