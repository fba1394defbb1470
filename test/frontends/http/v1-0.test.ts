import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../../../src/config/config.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { HttpStore } from '../../support/http-store.js';
import { HttpV10Store } from '../../support/http-v1.0-store.js';
import { makeObject, newRef, seededBytes } from '../../support/objects.js';
import { memoryInUse } from '../../support/memory.js';
import { getAll, listAll, putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

const MiB = 1024 ** 2;

describe('HTTP 1.0', () => {
  let gateway: TestGateway;
  let store: HttpV10Store;

  async function open(settings: Settings): Promise<void> {
    gateway = await startTestGateway(await emptyStore(), settings);
    store = new HttpV10Store(gateway.httpPort);
  }

  async function send(method: string, path: string, body: string) {
    const answer = await store.send(method, path, body);
    return { status: answer.status, ...(JSON.parse(answer.body.toString()) as { Err: string }) };
  }

  afterEach(async () => {
    await store.close();
    await gateway.close();
  });

  it('puts the text of a refusal into Err, with the status 403', async () => {
    await open({});
    const { mac } = newRef('packfile');
    const put = JSON.stringify({ MAC: mac, Data: makeObject('packfile', 3 * MiB).toString('base64') });
    expect(await send('PUT', '/packfile', put)).to.deep.equal({
      status: 403,
      Err:
        'not allowed to put packfiles: your access to this store is read-only, and that needs append, ' +
        "which the gateway's operator grants with --allow-write",
    });
    const refused = await send('DELETE', '/state', JSON.stringify({ MAC: mac }));
    expect(refused.status).to.equal(403);
    expect(refused.Err).to.match(/^not allowed to delete states: .* needs full/);
  });

  it('tells of what is missing in Err, with the status 200 of the API', async () => {
    await open({});
    const { mac } = newRef('packfile');
    expect(await send('GET', '/packfile', JSON.stringify({ MAC: mac }))).to.deep.equal({
      status: 200,
      Err: `no packfile ${mac} in this store`,
    });
  });

  it('tells in Err what is the matter before a store is asked, with the status that it has elsewhere', async () => {
    await open({});
    expect(await send('GET', '/nowhere/states', '{}')).to.deep.equal({
      status: 404,
      Err: 'no store "nowhere" here; ask the gateway\'s operator which there are',
    });
    await gateway.close();
    await open({ principals: { ann: { tokens: [`sha256:${'a'.repeat(64)}`], access: { '': 'full' } } } });
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/states'],
      ['PUT', '/lock'],
    ] as const) {
      const { status, Err } = await send(method, path, '{}');
      expect(status, path).to.equal(401);
      expect(Err).to.match(/^the default store requires a login/);
    }
  });

  it('lets a client of either generation open the store at /', async () => {
    await open({});
    const other = new HttpStore(gateway.httpPort);
    expect(Buffer.from(await store.config()).equals(Buffer.from(await other.config()))).to.equal(true);
    await other.close();
  });

  it('can be switched off, and says so; the next generation stays', async () => {
    await open({ 'no-http-v1.0': true });
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/states'],
      ['PUT', '/lock'],
    ] as const) {
      expect((await send(method, path, '{}')).Err).to.match(/plakar 1\.0 is switched off/);
    }
    expect(await new HttpStore(gateway.httpPort).config()).to.have.length.above(48);
  });

  it('takes fields in any order, and white space between them', async () => {
    await open({ 'allow-write': true });
    const bytes = makeObject('packfile', 2 * MiB + 1);
    const data = bytes.toString('base64');
    const spellings = [
      (mac: string) => `{"Data":"${data}","MAC":"${mac}"}`,
      (mac: string) => ` {\n "MAC" : "${mac}" ,\n "Data" : "${data}" }\n`,
      (mac: string) => `{"Other":1,"MAC":"${mac}","Data":"${data.replaceAll('/', '\\/')}"}`,
    ];
    for (const spell of spellings) {
      const ref = newRef('packfile');
      expect(await send('PUT', '/packfile', spell(ref.mac))).to.deep.equal({ status: 200, Err: '' });
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    }
  });

  it('refuses what is no whole document with good base64, and stores nothing', async () => {
    await open({ 'allow-write': true });
    const { mac } = newRef('packfile');
    const data = makeObject('packfile', 300_001).toString('base64');
    const documents = [
      '',
      '[]',
      'null',
      `{"MAC":"${mac}"}`,
      `{"Mac":"${mac}","Data":"${data}"}`,
      `{"MAC":"${mac.slice(1)}","Data":"${data}"}`,
      `{"MAC":"${mac}","Data":"${data}"`,
      `{"MAC":"${mac}","Data":"${data}`,
      `{"MAC":"${mac}","Data":"${data}"}}`,
      `{"MAC":"${mac}","Data":"${data}"}{"MAC":"${mac}"}`,
      `{"MAC":"${mac}","Data":"${data.slice(0, -1)}"}`,
      `{"MAC":"${mac}","Data":"${data}AAAA"}`,
      `{"MAC":"${mac}","Data":"${data.slice(0, 1000)}*${data.slice(1001)}"}`,
      `{"MAC":"${mac}","Data":"${data.slice(0, 1000)}\\n${data.slice(1000)}"}`,
      `{"Data":"${data.slice(0, 1000)}-${data.slice(1001)}","MAC":"${mac}"}`,
    ];
    for (const document of documents) {
      const { status, Err } = await send('PUT', '/packfile', document);
      const about = `${document.slice(0, 30)}…${document.slice(-90)}`;
      expect(status, about).to.equal(400);
      expect(Err, about).to.match(/^(invalid (request|Data|MAC)|Data is missing)/);
      expect(await listAll(store, 'packfile'), about).to.deep.equal([]);
    }
  });

  it('refuses ranges that are none', async () => {
    await open({ 'allow-write': true });
    const ref = newRef('packfile');
    await putAll(store, ref, makeObject('packfile', 100));
    for (const range of [
      {},
      { Offset: 0 },
      { Offset: 0.5, Length: 1 },
      { Offset: -1, Length: 1 },
      { Offset: 0, Length: 0 },
    ])
      expect((await send('GET', '/packfile/blob', JSON.stringify({ MAC: ref.mac, ...range }))).status).to.equal(400);
  });

  it('refuses a document over the limit, however its fields are ordered', async () => {
    await open({ 'allow-write': true, 'http-v1.0-limit': '1' });
    const { mac } = newRef('packfile');
    const fits = makeObject('packfile', 700_000).toString('base64');
    const large = makeObject('packfile', 800_000).toString('base64');
    for (const document of [`{"MAC":"${mac}","Data":"${large}"}`, `{"Data":"${large}","MAC":"${mac}"}`]) {
      const { status, Err } = await send('PUT', '/packfile', document);
      expect(status).to.equal(413);
      expect(Err).to.equal('a JSON document may have 1048576 bytes at most here');
    }
    expect((await send('PUT', '/packfile', `{"MAC":"${mac}","Data":"${fits}"}`)).Err).to.equal('');
    expect((await send('GET', '/state', `{"MAC":"${mac}"${' '.repeat(5000)}}`)).status).to.equal(413);
  });

  it('keeps memory bounded, whatever is uploaded and downloaded at once', async () => {
    await open({ 'allow-write': true });
    const bytes = Buffer.concat([makeObject('packfile', 16), seededBytes(20 * MiB, 'packfile of 1.0')]);
    const document = Buffer.from(`","Data":"${bytes.toString('base64')}"}`);
    const refs = Array.from({ length: 6 }, () => newRef('packfile'));
    const bodies = refs.map(({ mac }) => Buffer.concat([Buffer.from(`{"MAC":"${mac}`), document]));
    const before = memoryInUse();
    let most = 0;
    let isOver = false;
    const watch = async (): Promise<void> => {
      while (!isOver) {
        const startedMs = performance.now();
        most = Math.max(most, memoryInUse() - before);
        // A collection takes long in a process of many tests: most of the time is for the uploads.
        await sleep(3 * (performance.now() - startedMs));
      }
    };
    const watching = watch();
    const answers = await Promise.all(bodies.map((body) => store.send('PUT', '/packfile', body)));
    isOver = true;
    await watching;
    expect(answers.map(({ status }) => status)).to.deep.equal(bodies.map(() => 200));
    // Six documents of 27 MiB each in memory would be some 400 MiB with all their copies.
    expect(most / MiB).to.be.within(0.1, 80);
    expect((await getAll(store, refs[3] ?? newRef('packfile'))).equals(bytes)).to.equal(true);
  }).timeout(120_000);
});
