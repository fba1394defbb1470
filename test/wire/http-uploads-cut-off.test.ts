import { expect } from 'chai';
import type { ObjectKind, ObjectRef } from '../../src/core/object.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { objects, openSockets, untilClean, untilOpenFiles, untilOpenSockets, untilWriting } from './support/folders.js';
import { ask, chunk, put, RawHttp, requestHead } from './support/raw-http.js';

const MiB = 1024 * 1024;

type CutOff = (connection: RawHttp) => void;

const ends: Readonly<Record<string, CutOff>> = {
  'ends the connection': ({ socket }) => socket.end(),
  'resets the connection': ({ socket }) => socket.resetAndDestroy(),
};

const framings = ['chunked', 'with a Content-Length'] as const;

/** How much of the object was sent: nothing, its first byte, half, everything but the end of the body. */
const positions: Readonly<Record<string, (size: number) => number>> = {
  'before the first byte': () => 0,
  'after the first byte': () => 1,
  'in the middle': (size) => size / 2,
  'right before the end': (size) => size,
};

describe('An HTTP upload that is cut off', () => {
  let folder: string;
  let gateway: TestGateway;
  let openBefore: number;

  beforeEach(async () => {
    folder = await emptyStore();
    gateway = await startTestGateway(folder, { 'allow-write': true });
    openBefore = openSockets();
  });

  afterEach(() => gateway.close());

  for (const [how, cutOff] of Object.entries(ends)) {
    for (const framing of framings) {
      for (const [where, sentOf] of Object.entries(positions)) {
        it(`leaves nothing behind when a client ${how} ${where} of a body sent ${framing}`, async () => {
          const ref = newRef('packfile');
          const bytes = makeObject('packfile', 2 * MiB);
          const connection = await begin(ref, bytes, sentOf(bytes.length), framing);
          if (sentOf(bytes.length) > MiB / 2) await untilWriting(folder);
          cutOff(connection);
          await expectNothing(ref, bytes);
          connection.close();
          await untilReleased();
        });
      }
    }
  }

  for (const kind of ['state', 'lock'] as const) {
    it(`leaves nothing behind of a ${kind}`, async () => {
      const ref = newRef(kind);
      const bytes = makeObject(kind, 60_000);
      const connection = await begin(ref, bytes, 50_000, 'chunked');
      connection.socket.end();
      await expectNothing(ref, bytes);
      connection.close();
    });
  }

  it('leaves nothing behind if it stalls first', async () => {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 2 * MiB);
    const connection = await begin(ref, bytes, MiB, 'chunked');
    await untilWriting(folder);
    // Other requests are answered meanwhile.
    expect((await ask(gateway.httpPort, 'GET', '/resources/packfiles')).body.toString()).to.equal('[]\n');
    expect(connection.isSilent).to.equal(true);
    expect(await objects(folder)).to.deep.equal([]);
    connection.close();
    await expectNothing(ref, bytes);
    await untilReleased();
  });

  it('leaves the lock that it was to replace', async () => {
    const ref = newRef('lock');
    const old = makeObject('lock', 124, 'old');
    await put(gateway.httpPort, pathOf(ref), old);
    const connection = await begin(ref, makeObject('lock', 124, 'new'), 124, 'chunked');
    connection.close();
    await untilLogged();
    expect((await ask(gateway.httpPort, 'GET', pathOf(ref))).body.equals(old)).to.equal(true);
    await untilClean(folder);
  });

  it('fails also if its bytes are the beginning of an object that exists', async () => {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 2 * MiB);
    await put(gateway.httpPort, pathOf(ref), bytes);
    const connection = await begin(ref, bytes, bytes.length, 'chunked');
    connection.socket.end();
    const { status } = await connection.answer('PUT');
    expect(status).to.equal(400);
    await untilLogged();
    connection.close();
    await untilOpenFiles(0, folder);
    await untilReleased();
    expect((await ask(gateway.httpPort, 'GET', pathOf(ref))).body.equals(bytes)).to.equal(true);
  });

  it('logs no warning and leaves nothing behind, even fifty at once', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    const bytes = makeObject('packfile', 2 * MiB);
    const uploads = Array.from({ length: 50 }, () => begin(newRef('packfile'), bytes, MiB, 'chunked'));
    const connections = await Promise.all(uploads);
    await untilWriting(folder);
    connections.forEach((connection, i) => (i % 2 === 0 ? connection.socket.resetAndDestroy() : connection.close()));
    await untilClean(folder);
    await untilOpenFiles(0, folder);
    await untilReleased();
    expect(await objects(folder)).to.deep.equal([]);
    process.removeListener('warning', warn);
    expect(warnings).to.deep.equal([]);
    expect(gateway.log.filter(({ level }) => level !== 'info')).to.deep.equal([]);
  });

  /** Starts an upload of `bytes`, and sends the first `sent` of them. */
  async function begin(
    ref: ObjectRef,
    bytes: Buffer,
    sent: number,
    framing: (typeof framings)[number],
  ): Promise<RawHttp> {
    const connection = await RawHttp.connect(gateway.httpPort);
    const first = bytes.subarray(0, sent);
    if (framing === 'chunked') {
      await connection.send(requestHead('PUT', pathOf(ref), { 'Transfer-Encoding': 'chunked' }));
      if (sent > 0) await connection.send(chunk(first));
    } else {
      // One byte more than all, so that the whole object is a cut-off body, too.
      await connection.send(requestHead('PUT', pathOf(ref), { 'Content-Length': String(bytes.length + 1) }), first);
    }
    return connection;
  }

  /** Expects that nothing is stored under the name and nothing is left behind, and that it can be used again. */
  async function expectNothing(ref: ObjectRef, bytes: Buffer): Promise<void> {
    await untilLogged();
    await untilClean(folder);
    await untilOpenFiles(0, folder);
    expect(await objects(folder)).to.deep.equal([]);
    expect((await ask(gateway.httpPort, 'GET', `/resources/${ref.kind}s`)).body.toString()).to.equal('[]\n');
    expect((await ask(gateway.httpPort, 'GET', pathOf(ref))).status).to.equal(404);
    expect((await put(gateway.httpPort, pathOf(ref), bytes)).status).to.equal(200);
    expect((await ask(gateway.httpPort, 'GET', pathOf(ref))).body.equals(bytes)).to.equal(true);
  }

  async function untilReleased(): Promise<void> {
    await untilOpenSockets(openBefore);
  }

  /** Waits for the access log to have the upload that was cut off. */
  async function untilLogged(): Promise<void> {
    await eventually(async () => gateway.log.some(({ status }) => status === 499), 'the upload is logged');
  }
});

function pathOf({ kind, mac }: { kind: ObjectKind; mac: string }): string {
  return `/resources/${kind}s/${mac}`;
}
