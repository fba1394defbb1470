import { expect } from 'chai';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { makeObject, newRef } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { openSockets, untilOpenFiles, untilOpenSockets } from './support/folders.js';
import { put } from './support/raw-http.js';
import { http2Ends } from './support/http2-ends.js';
import { frameType, RawHttp2 } from './support/raw-http2.js';
import { startSecureGateway, type SecureGateway } from './support/secure-gateway.js';

const MiB = 1024 * 1024;

describe('A download over HTTP/2 that is cut off', () => {
  /** One that is sent in chunks, and one that is in memory as a whole. Both are larger than the initial window. */
  const refs = new Map([16 * MiB, 200_000].map((size) => [size, newRef('state')]));
  let gateway: SecureGateway;
  let openBefore: number;

  before(async () => {
    gateway = await startSecureGateway({
      durability: 'none',
      'stall-timeout': '1s',
      'min-rate': '1MiB',
      'idle-timeout': '1s',
    });
    for (const [size, { mac }] of refs)
      await put(gateway.httpPort, `/resources/states/${mac}`, makeObject('state', size));
  });

  after(() => gateway.close());

  beforeEach(() => {
    gateway.log.length = 0;
    openBefore = openSockets();
  });

  for (const [size, { mac }] of refs) {
    for (const [how, cutOff] of Object.entries(http2Ends)) {
      it(`is over, once, when a client that takes a part of ${size} bytes ${how}`, async () => {
        const connection = await RawHttp2.connectTls(gateway.httpsPort);
        const stream = connection.open('GET', `/resources/states/${mac}`, {}, { endStream: true });
        await eventually(async () => connection.dataReceived >= 65535, 'the window is full');
        cutOff(connection, stream);
        const lines = () => gateway.log.filter(({ method }) => method === 'GET');
        await eventually(async () => lines().length > 0, 'the download is logged');
        await untilOpenFiles(0, join(gateway.folder, 'states'));
        connection.close();
        await untilOpenSockets(openBefore);
        expect(lines()).to.have.length(1);
        expect(lines()[0]).to.include({ status: 499 });
      });
    }
  }

  it('is an error, never a clean end, when the gateway has to break it off', async () => {
    const { mac } = refs.get(16 * MiB) ?? newRef('state');
    const connection = await RawHttp2.connectTls(gateway.httpsPort);
    const stream = connection.open('GET', `/resources/states/${mac}`, {}, { endStream: true });
    await eventually(async () => connection.dataReceived >= 65535, 'the window is full');
    await truncate(join(gateway.folder, 'states', mac.slice(0, 2), mac), 4 * MiB);
    for (const id of [0, stream]) connection.frame(frameType.windowUpdate, 0, id, Buffer.from('01000000', 'hex'));
    await eventually(async () => connection.resets.has(stream), 'it is broken off');
    expect(connection.resets.get(stream)).to.equal(2); // INTERNAL_ERROR
    connection.close();
  });
});
