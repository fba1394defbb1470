import { expect } from 'chai';
import { parseS3Location } from '../../../src/backends/s3/location.js';
import { objectPath } from '../../../src/backends/files/layout.js';
import { S3Bucket } from '../../../src/backends/s3/client.js';
import { S3Store } from '../../../src/backends/s3/s3-store.js';
import type { Mac, ObjectKind } from '../../../src/core/object.js';
import { statAll } from '../../../src/core/stat-all.js';
import { deferred } from '../../support/deferred.js';
import { FaultProxy, type Fault } from '../../support/fault-proxy.js';
import { cutAfter, held, refuse, rewritten } from '../../support/faults.js';
import { silent } from '../../support/gateway.js';
import { makeObject, randomMacIn } from '../../support/objects.js';
import type { S3Request } from '../../support/s3-request.js';
import { s3Server } from '../../support/s3-server.js';
import { ctx, expectFailure, listAll } from '../../support/store.js';

/** So that lists have several pages. */
const pageKeys = 7;

describe('a list of what is in S3', () => {
  const server = s3Server();
  let proxy: FaultProxy;
  const stores: S3Store[] = [];

  before(async () => {
    proxy = await FaultProxy.start(server().port);
  });

  after(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await proxy?.close();
  });

  beforeEach(() => proxy.heal());

  async function open(prefix: string): Promise<S3Store> {
    const location = parseS3Location(server().location(encodeURIComponent(prefix), proxy.port));
    const options = { ...server().s3Settings, env: server().env, home: '/nonexistent' };
    const more = { prefix, writable: false, durable: true, maxObjectBytes: 1_000_000, pageKeys };
    const store = await S3Store.open(await S3Bucket.open(location, options), more, silent);
    stores.push(store);
    return store;
  }

  async function fill(prefix: string, kind: ObjectKind, count: number): Promise<Mac[]> {
    const macs = Array.from({ length: count }, (_, i) => randomMacIn((i % 256).toString(16).padStart(2, '0')));
    for (const mac of macs) await server().put(`${prefix}/${objectPath({ kind, mac })}`, makeObject(kind, 100));
    return macs.sort();
  }

  async function sorted(store: S3Store, kind: ObjectKind): Promise<Mac[]> {
    return (await listAll(store, kind)).sort();
  }

  for (const kind of ['packfile', 'state', 'lock'] as const) {
    for (const count of [0, 1, pageKeys, pageKeys + 1, 300]) {
      it(`has all ${kind}s, each once, of ${count}`, async () => {
        const prefix = await server().emptyStore();
        const macs = await fill(prefix, kind, count);
        expect(await sorted(await open(prefix), kind)).to.deep.equal(macs);
      });
    }
  }

  it('takes one request where one page has everything', async () => {
    const prefix = await server().emptyStore();
    await fill(prefix, 'state', pageKeys);
    const store = await open(prefix);
    proxy.heal();
    await listAll(store, 'state');
    expect(proxy.requests.map(({ operation }) => operation)).to.deep.equal(['ListObjectsV2']);
  });

  it('leaves out what is no object of the store', async () => {
    const prefix = await server().emptyStore();
    const macs = await fill(prefix, 'packfile', 2);
    const [mac = ''] = macs;
    const other = mac.startsWith('00') ? '01' : '00';
    const foreign = [
      `packfiles/${mac.slice(0, 2)}/${mac}.frozen`,
      `packfiles/${other}/${mac}`,
      `packfiles/${mac.slice(0, 2)}/${mac.toUpperCase().replace('0', 'A')}`,
      `packfiles/${randomMacIn('00')}`,
      `packfiles/00/${mac.slice(0, 2)}/${mac}`,
      'packfiles/00/note.txt',
      'packfiles/00/control\u0001 & <tag> + 100%',
      'packfiles.txt',
      'CONFIG.frozen',
    ];
    for (const key of foreign) await server().put(`${prefix}/${key}`, Buffer.from('foreign'));
    const store = await open(prefix);
    expect(await sorted(store, 'packfile')).to.deep.equal(macs);
    expect(await sorted(store, 'state')).to.deep.equal([]);
  });

  it('has the objects below this prefix only, whatever its characters', async () => {
    const config = await server().put.bind(server());
    const bytes = await (await open(await server().emptyStore())).config(ctx);
    for (const prefix of ['x', 'x y', "x+ü&'()*!~<>%"]) {
      await config(`${prefix}/CONFIG`, bytes);
      const macs = await fill(prefix, 'packfile', pageKeys + 1);
      expect(await sorted(await open(prefix), 'packfile')).to.deep.equal(macs);
    }
  });

  it('tells sizes and times, which no further request asks for', async () => {
    const prefix = await server().emptyStore();
    const macs = await fill(prefix, 'packfile', 10);
    const store = await open(prefix);
    proxy.heal();
    const found: Mac[] = [];
    for await (const { kind, mac, size, modifiedMs } of statAll(store, 'packfile', ctx)) {
      expect([kind, size]).to.deep.equal(['packfile', 100]);
      expect(modifiedMs).to.be.within(Date.now() - 60_000, Date.now() + 60_000);
      found.push(mac);
    }
    expect(found.sort()).to.deep.equal(macs);
    expect(proxy.count('HeadObject')).to.equal(0);
  });

  for (const [what, fault] of [
    ['is refused', refuse(403, 'AccessDenied')],
    ['breaks off', cutAfter(200)],
  ] as const) {
    it(`is an error where a page ${what}, however often it is asked for`, async function () {
      this.timeout(60_000);
      const prefix = await server().emptyStore();
      await fill(prefix, 'packfile', 100);
      const store = await open(prefix);
      proxy.spoil('ListObjectsV2', fault, { skip: 3, times: Infinity });
      await expectFailure(listAll(store, 'packfile'), 'unavailable');
    });
  }

  it('has keys that are written as CDATA', async () => {
    const prefix = await server().emptyStore();
    const macs = await fill(prefix, 'packfile', 20);
    const store = await open(prefix);
    const asCdata = (body: string): string => body.replaceAll(/<Key>(.*?)<\/Key>/g, '<Key><![CDATA[$1]]></Key>');
    const spoiled = proxy.spoil('ListObjectsV2', rewritten(asCdata), { times: Infinity });
    expect(await sorted(store, 'packfile')).to.deep.equal(macs);
    expect(spoiled.hits).to.be.above(0);
  });

  for (const [what, key] of [
    ['no key', ''],
    ['a key that was not asked for', 'elsewhere/packfiles/00/1'],
  ] as const) {
    it(`is an error where an object has ${what}`, async () => {
      const prefix = await server().emptyStore();
      await fill(prefix, 'packfile', 2);
      const store = await open(prefix);
      const wrong = (body: string): string => body.replace(/<Key>.*?<\/Key>/, `<Key>${key}</Key>`);
      proxy.spoil('ListObjectsV2', rewritten(wrong), { times: Infinity });
      await expectFailure(listAll(store, 'packfile'), 'unavailable');
    });
  }

  it('is an error as soon as a part fails, whatever the others do', async () => {
    const prefix = await server().emptyStore();
    await fill(prefix, 'packfile', 100);
    const store = await open(prefix);
    const partOf = ({ query }: S3Request): string => query.get('prefix')?.slice(`${prefix}/packfiles/`.length) ?? '';
    const hanging = deferred();
    let waiting = 0;
    const hang: Fault = (exchange) => {
      if (++waiting === 15) hanging.resolve();
      return held(exchange);
    };
    proxy.spoil((request) => /^[1-9a-f]$/.test(partOf(request)), hang, { times: Infinity });
    const refusing: Fault = async (exchange) => {
      await hanging.promise;
      await exchange.refuse(403, 'AccessDenied');
    };
    proxy.spoil((request) => partOf(request) === '0', refusing, { times: Infinity });
    await expectFailure(listAll(store, 'packfile'), 'unavailable');
  });

  it('is an error where the whole store is missing, rather than empty', async () => {
    const store = await open(await server().emptyStore());
    proxy.spoil('HeadObject', refuse(404, 'NoSuchKey'));
    await expectFailure(listAll(store, 'packfile'), 'unavailable');
  });

  it('ends when the caller goes away', async () => {
    const prefix = await server().emptyStore();
    await fill(prefix, 'packfile', 100);
    const store = await open(prefix);
    const caller = new AbortController();
    const { hit } = proxy.spoil('ListObjectsV2', held, { skip: 5, times: Infinity });
    void hit.then(() => caller.abort());
    const list = async (): Promise<void> => {
      for await (const batch of store.list('packfile', caller)) void batch;
    };
    await expectFailure(list(), 'canceled');
  });
});
