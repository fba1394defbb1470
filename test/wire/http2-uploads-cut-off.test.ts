import { expect } from 'chai';
import type { ObjectRef } from '../../src/core/object.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { objects, openSockets, untilClean, untilOpenFiles, untilOpenSockets, untilWriting } from './support/folders.js';
import { Http2Client } from './support/http2-client.js';
import { ask, put } from './support/raw-http.js';
import { http2Ends } from './support/http2-ends.js';
import { frameType, RawHttp2 } from './support/raw-http2.js';
import { startSecureGateway, type SecureGateway } from './support/secure-gateway.js';

const MiB = 1024 * 1024;

const positions: Readonly<Record<string, (size: number) => number>> = {
  'before the first byte': () => 0,
  'in the middle': (size) => size / 2,
  'right before the end': (size) => size,
};

describe('An upload over HTTP/2 that is cut off', () => {
  const bytes = makeObject('packfile', 2 * MiB);
  let gateway: SecureGateway;
  let openBefore: number;
  let ref: ObjectRef;
  let path: string;

  beforeEach(async () => {
    gateway = await startSecureGateway({ durability: 'none' });
    openBefore = openSockets();
    ref = newRef('packfile');
    path = `/resources/packfiles/${ref.mac}`;
  });

  afterEach(() => gateway.close());

  for (const [how, cutOff] of Object.entries(http2Ends)) {
    for (const [where, sentOf] of Object.entries(positions)) {
      it(`leaves nothing behind when a client ${how} ${where}`, async () => {
        const sent = sentOf(bytes.length);
        const connection = await RawHttp2.connectTls(gateway.httpsPort);
        const stream = connection.open('PUT', path);
        await connection.data(stream, bytes.subarray(0, sent));
        if (sent > 0) await untilWriting(gateway.folder);
        cutOff(connection, stream);
        // If none of it has arrived, the connection may be closed before the request is handled.
        if (sent > 0) await untilLogged();
        await expectNothing();
        connection.close();
        await untilOpenSockets(openBefore);
      });
    }
  }

  it('leaves nothing behind when it ends with fewer bytes than it announced', async () => {
    const connection = await RawHttp2.connectTls(gateway.httpsPort);
    const stream = connection.open('PUT', path, { 'content-length': String(bytes.length + 1) });
    await connection.data(stream, bytes, { endStream: true });
    await untilLogged();
    await expectNothing();
    expect(connection.resets.get(stream)).to.equal(1); // PROTOCOL_ERROR
    connection.close();
  });

  it("leaves nothing behind when node's own client cancels it, which ends it like a whole one first", async () => {
    const client = await Http2Client.connect(gateway.httpsPort);
    for (let i = 0; i < 20; i++) {
      const stream = client.open('PUT', `/resources/packfiles/${newRef('packfile').mac}`);
      stream.write(bytes.subarray(0, MiB + i));
      await untilWriting(gateway.folder);
      stream.close(8); // CANCEL
      await untilClean(gateway.folder);
    }
    expect(await objects(gateway.folder)).to.deep.equal([]);
    client.close();
  });

  for (const code of [8, 0]) {
    it(`is stored whole or not at all if it is reset right after its end with code ${code}`, async () => {
      const small = makeObject('packfile', 10_000);
      const refs = Array.from({ length: 50 }, () => newRef('packfile'));
      const connection = await RawHttp2.connectTls(gateway.httpsPort);
      await eventually(async () => connection.frames.includes(frameType.settings), 'the server greets');
      for (const { mac } of refs) {
        const stream = connection.open('PUT', `/resources/packfiles/${mac}`);
        await connection.data(stream, small, { endStream: true });
        connection.reset(stream, code);
      }
      await eventually(
        async () => gateway.log.filter(({ method }) => method === 'PUT').length === refs.length,
        'all of them have ended',
      );
      await untilClean(gateway.folder);
      await untilOpenFiles(0, gateway.folder);
      for (const name of await objects(gateway.folder)) {
        expect(
          (await ask(gateway.httpPort, 'GET', `/resources/packfiles/${name.slice(-64)}`)).body.equals(small),
        ).to.equal(true);
      }
      connection.close();
    });
  }

  const untilLogged = (): Promise<boolean> =>
    eventually(async () => gateway.log.some(({ status }) => status === 499), 'the upload is logged');

  /** Expects that nothing is stored under the name and nothing is left behind, and that it can be used again. */
  async function expectNothing(): Promise<void> {
    await untilClean(gateway.folder);
    await untilOpenFiles(0, gateway.folder);
    expect(await objects(gateway.folder)).to.deep.equal([]);
    expect((await put(gateway.httpPort, path, bytes)).status).to.equal(200);
    expect((await ask(gateway.httpPort, 'GET', path)).body.equals(bytes)).to.equal(true);
  }
});
