import { expect } from 'chai';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ObjectRef } from '../../src/core/object.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { makeObject, newRef, randomMac } from '../support/objects.js';
import { emptyStore } from '../support/temp.js';
import { fingerprint, objects } from './support/folders.js';
import { ask, put, RawHttp, requestHead } from './support/raw-http.js';

const secret = 'planted beside the store';

describe('Paths of HTTP requests', () => {
  const bytes = makeObject('packfile', 1000);
  let folder: string;
  let gateway: TestGateway;
  let ref: ObjectRef;

  before(async () => {
    folder = await emptyStore();
    gateway = await startTestGateway(folder, { 'allow-delete': true });
    ref = newRef('packfile');
    await put(gateway.httpPort, `/resources/packfiles/${ref.mac}`, bytes);
    await writeFile(join(dirname(folder), 'secret'), secret);
    await writeFile(join(dirname(folder), randomMac()), secret);
    await writeFile(join(folder, 'secret'), secret);
    await writeFile(join(folder, 'packfiles', 'secret'), secret);
  });

  after(() => gateway.close());

  describe('that name no object', () => {
    const mac = 'ab'.repeat(32);
    const tricks: readonly (readonly [string, readonly number[]])[] = [
      ['/resources/packfiles/../../CONFIG', [404]],
      ['/resources/packfiles/..%2f..%2fCONFIG', [400]],
      ['/resources/packfiles/..%2F..%2Fsecret', [400]],
      ['/resources/packfiles/%2e%2e%2f%2e%2e%2fCONFIG', [400]],
      ['/resources/packfiles/%2e%2e/%2e%2e/CONFIG', [404]],
      ['/resources/packfiles/%2e%2e', [400]],
      ['/resources/packfiles/..', [400]],
      ['/resources/packfiles/.', [400]],
      ['/resources/packfiles/secret', [400]],
      ['/resources/packfiles/tmp.1', [400]],
      ['/resources/../secret', [400]],
      ['/resources/..', [400]],
      ['/resources/%2e%2e', [400]],
      ['/resources/../CONFIG', [400]],
      ['/resources/../../secret', [404, 400]],
      ['/../secret', [404]],
      ['/..%2fsecret', [404]],
      ['/%2e%2e/secret', [404]],
      ['/..', [404]],
      ['/secret', [404]],
      ['/CONFIG', [404]],
      ['/etc/passwd', [404]],
      ['//etc/passwd', [404]],
      ['/resources/CONFIG', [400]],
      ['/resources/secret', [400]],
      ['/resources/configs', [400]],
      ['/resources/Packfiles', [400]],
      ['/resources/packfiles%00', [400]],
      ['/resources/constructor', [400]],
      ['/resources/__proto__', [400]],
      [`/resources/toString/${mac}`, [400]],
      [`/resources/..%2fpackfiles/${mac}`, [400]],
      [`/resources/packfiles%2f${mac}`, [400]],
      [`/resources/packfiles/${mac}%00`, [400]],
      [`/resources/packfiles/%00${mac}`, [400]],
      [`/resources/packfiles/${mac}%0a`, [400]],
      [`/resources/packfiles/${mac}/`, [404]],
      [`/resources/packfiles/${mac}/x`, [404]],
      [`/resources/packfiles/${mac}%2fx`, [400]],
      [`/resources/packfiles/${mac.slice(1)}`, [400]],
      [`/resources/packfiles/${mac}0`, [400]],
      [`/resources/packfiles/g${mac.slice(1)}`, [400]],
      [`/resources/packfiles/..${mac.slice(2)}`, [400]],
      [`/resources/packfiles/ab/${mac}`, [404]],
      ['/resources/packfiles/%zz', [400]],
      ['/resources/packfiles/%', [400]],
      ['/resources/packfiles/%c0%ae%c0%ae', [400]],
      ['/resources/packfiles/%u002e', [400]],
      ['/resources/packfiles\\..\\..\\CONFIG', [400]],
      ['/resources\\packfiles', [404]],
      ['\\..\\CONFIG', [400, 404]],
      ['/resources//packfiles', [400]],
      ['//resources/packfiles', [404]],
      [`/resources//packfiles/${mac}`, [404]],
      [`/resources/packfiles//${mac}`, [404]],
      ['/resources/', [400, 404]],
      ['/resources', [404]],
      ['/resources/packfiles/', [400, 404]],
      ['/Resources/packfiles', [404]],
      ['/.', [404]],
      ['//', [404]],
      [`/resources/packfiles/${'a'.repeat(1000)}`, [400]],
      [`/resources/packfiles/${'a'.repeat(5000)}`, [400]],
      [`/${'a/'.repeat(3000)}`, [404]],
      [`/resources/${'../'.repeat(200)}etc/passwd`, [404]],
      ['http://gateway/../secret', [404]],
      ['http://gateway/secret', [404]],
      ['file:///etc/passwd', [404, 400]],
      ['*', [404]],
      ['*resources/states', [404, 400]],
      [`/resources/packfiles/${mac}`, [404]],
    ];

    for (const [path, statuses] of tricks) {
      it(`get ${statuses.join(' or ')} and no file: ${JSON.stringify(path.slice(0, 80))}`, async () => {
        for (const method of ['GET', 'HEAD']) {
          const { status, body } = await ask(gateway.httpPort, method, path);
          expect(status, method).to.be.oneOf([...statuses]);
          expect(body.toString()).to.not.contain(secret);
          expect(body.toString()).to.not.contain('root:');
          expect(body.toString()).to.not.contain(dirname(folder));
          expect(body.toString('latin1')).to.not.contain('_KLOSET_');
        }
      });
    }

    it('store and delete nothing anywhere', async () => {
      const refusals = [400, 404, 405, 414];
      const before = fingerprint(dirname(folder));
      for (const [path] of tricks.filter(([each]) => !each.endsWith(`packfiles/${mac}`))) {
        expect((await put(gateway.httpPort, path, bytes)).status, path).to.be.oneOf(refusals);
        expect((await ask(gateway.httpPort, 'DELETE', path)).status, path).to.be.oneOf(refusals);
      }
      expect(fingerprint(dirname(folder))).to.deep.equal(before);
    });
  });

  describe('that name an object', () => {
    it('give it in every way to write them', async () => {
      const path = `/resources/packfiles/${ref.mac}`;
      const escaped = ref.mac.replaceAll(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`);
      for (const same of [
        path,
        `/resources/packfiles/${ref.mac.toUpperCase()}`,
        `/resources/packfiles/${escaped}`,
        `/resources/%70ackfiles/${ref.mac}`,
        `${path}?`,
        `${path}?x=/../../CONFIG&y=%2f..%00`,
        `${path}#/../../CONFIG`,
        `http://gateway${path}`,
        `http://elsewhere:1234${path}?x`,
      ]) {
        const { status, body } = await ask(gateway.httpPort, 'GET', same);
        expect(status, same).to.equal(200);
        expect(body.equals(bytes), same).to.equal(true);
      }
    });

    it('give CONFIG only at /', async () => {
      const config = await readFile(join(folder, 'CONFIG'));
      for (const path of ['/', '/?x=y', 'http://gateway/', 'http://gateway']) {
        const { status, body } = await ask(gateway.httpPort, 'GET', path);
        expect(status, path).to.equal(200);
        expect(body.equals(config), path).to.equal(true);
      }
    });

    it('store an upper-case name as the lower-case one that it is', async () => {
      const other = newRef('state');
      const upper = `/resources/states/${other.mac.toUpperCase()}`;
      expect((await put(gateway.httpPort, upper, makeObject('state', 100))).status).to.equal(200);
      expect(await objects(folder)).to.include(`states/${other.mac.slice(0, 2)}/${other.mac}`);
      expect((await put(gateway.httpPort, upper, makeObject('state', 100, 'other'))).status).to.equal(409);
      expect((await ask(gateway.httpPort, 'DELETE', upper)).status).to.equal(200);
      expect(await objects(folder)).to.not.include(`states/${other.mac.slice(0, 2)}/${other.mac}`);
    });
  });

  it('do not lead through a link that has an object’s name', async () => {
    for (const target of [join(dirname(folder), 'secret'), '../../CONFIG', '/etc/passwd', '/nonexistent', '..']) {
      const { mac } = newRef('packfile');
      const bucket = join(folder, 'packfiles', mac.slice(0, 2));
      await mkdir(bucket, { recursive: true });
      await symlink(target, join(bucket, mac));
      const path = `/resources/packfiles/${mac}`;
      for (const method of ['GET', 'HEAD']) expect((await ask(gateway.httpPort, method, path)).status).to.equal(404);
      const { body } = await ask(gateway.httpPort, 'GET', '/resources/packfiles');
      expect(body.toString()).to.not.contain(mac);
      expect((await put(gateway.httpPort, path, makeObject('packfile', 100))).status, target).to.be.oneOf([409, 404]);
    }
    expect(await readFile(join(dirname(folder), 'secret'), 'utf8')).to.equal(secret);
  });

  it('are one line of the log each, whatever they have in them', async () => {
    const connection = await RawHttp.connect(gateway.httpPort);
    await connection.send(requestHead('GET', '/%0d%0aHTTP/1.1%20200%0d%0a\x1b[2J'));
    await connection.untilClosed();
    connection.close();
    expect(gateway.log.every(({ path }) => path === undefined || !/[\r\n\x1b]/.test(String(path)))).to.equal(true);
  });
});
