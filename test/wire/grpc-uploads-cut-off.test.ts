import { status as Code } from '@grpc/grpc-js';
import { expect } from 'chai';
import { gzipSync } from 'node:zlib';
import type { ObjectRef } from '../../src/core/object.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { connect, GrpcStore } from '../support/grpc-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, expectFailure, getAll, listAll, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { objects, openSockets, untilClean, untilOpenFiles, untilOpenSockets, untilWriting } from './support/folders.js';
import { framed, putPath, RawGrpc, upload, type RawCall } from './support/raw-grpc.js';
import { RawHttp2 } from './support/raw-http2.js';

const MiB = 1024 * 1024;

/** A framed message, compressed. */
function zipped(message: Buffer): Buffer {
  const compressed = framed(gzipSync(message.subarray(5)));
  compressed[0] = 1;
  return compressed;
}

describe('A gRPC upload', () => {
  const bytes = makeObject('packfile', 2 * MiB);
  let folder: string;
  let gateway: TestGateway;
  let store: GrpcStore;
  let client: RawGrpc;
  let ref: ObjectRef;
  let openBefore: number;

  beforeEach(async () => {
    folder = await emptyStore();
    gateway = await startTestGateway(folder, { 'allow-write': true });
    store = new GrpcStore(gateway.grpcPort);
    ref = newRef('packfile');
    await store.config();
    openBefore = openSockets();
    client = await RawGrpc.connect(gateway.grpcPort);
  });

  afterEach(async () => {
    client.close();
    await store.close();
    await gateway.close();
  });

  it('is stored when it is whole, whatever its messages are cut into', async () => {
    const call = client.call(putPath);
    const whole = upload.whole(ref, bytes);
    for (let at = 0; at < whole.length; at += 100_003) await call.send(whole.subarray(at, at + 100_003));
    call.end();
    expect((await call.outcome).code).to.equal(Code.OK);
    expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
  });

  it('is stored when its messages are compressed, as a client may do it', async () => {
    const call = client.call(putPath, { 'grpc-encoding': 'gzip' });
    await call.send(upload.header(ref));
    for (let at = 0; at < bytes.length; at += MiB) await call.send(zipped(upload.chunk(bytes.subarray(at, at + MiB))));
    call.end(upload.finish(bytes.length));
    expect((await call.outcome).code).to.equal(Code.OK);
    expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
  });

  describe('by hand-made frames', () => {
    it('is not stored when it is reset with RST_STREAM in the middle', async () => {
      const connection = await RawHttp2.connect(gateway.grpcPort);
      const stream = connection.request(putPath);
      await connection.data(stream, Buffer.concat([upload.header(ref), upload.chunks(bytes)]).subarray(0, MiB));
      await untilWriting(folder);
      connection.reset(stream);
      await expectNothing(connection);
    });

    it('is not stored when it is reset with RST_STREAM right before its finish', async () => {
      const connection = await RawHttp2.connect(gateway.grpcPort);
      const stream = connection.request(putPath);
      await connection.data(stream, Buffer.concat([upload.header(ref), upload.chunks(bytes)]));
      await untilWriting(folder);
      connection.reset(stream);
      await expectNothing(connection);
    });

    for (const [how, cutOff] of [
      ['ends', (connection: RawHttp2) => connection.socket.end()],
      ['resets', (connection: RawHttp2) => connection.socket.resetAndDestroy()],
    ] as const) {
      it(`is not stored when its client ${how} the connection in the middle`, async () => {
        const connection = await RawHttp2.connect(gateway.grpcPort);
        const stream = connection.request(putPath);
        await connection.data(stream, Buffer.concat([upload.header(ref), upload.chunks(bytes)]).subarray(0, MiB));
        await untilWriting(folder);
        cutOff(connection);
        await expectNothing(connection);
      });
    }

    it('is not stored when its deadline passes, though its client sends nothing more', async () => {
      const connection = await RawHttp2.connect(gateway.grpcPort);
      const stream = connection.request(putPath, { 'grpc-timeout': '500m' });
      await connection.data(stream, Buffer.concat([upload.header(ref), upload.chunks(bytes)]).subarray(0, MiB));
      await untilWriting(folder);
      await expectNothing(connection);
    });

    it('is not stored when it has a malformed message, though its client sends nothing more', async () => {
      const connection = await RawHttp2.connect(gateway.grpcPort);
      const stream = connection.request(putPath);
      await connection.data(stream, Buffer.concat([upload.header(ref), upload.chunks(bytes)]));
      await untilWriting(folder);
      await connection.data(stream, framed(Buffer.from('ff'.repeat(20), 'hex')));
      await expectNothing(connection);
    });
  });

  describe('that ends too early', () => {
    for (const [what, messages, text] of [
      ['without its finish', () => [upload.header(ref), upload.chunks(bytes)], 'without its finish'],
      [
        'with a finish that was cut short',
        () => [upload.header(ref), upload.chunks(bytes), upload.finish(bytes.length).subarray(0, -1)],
        'without its finish',
      ],
      [
        'with a chunk that was cut short',
        () => [Buffer.concat([upload.header(ref), upload.chunks(bytes)]).subarray(0, -1)],
        'without its finish',
      ],
      ['after its header', () => [upload.header(ref)], 'without its finish'],
      ['before its header', () => [], 'has to start with its header'],
    ] as const) {
      it(`is refused, and leaves nothing behind, when it ends ${what}`, async () => {
        await expectRefusal(messages(), Code.INVALID_ARGUMENT, text);
      });
    }
  });

  describe('with the wrong messages', () => {
    for (const [what, messages, text] of [
      ['a finish with another length', () => [whole(), upload.finish(bytes.length - 1)], 'some were lost'],
      ['a finish with no length', () => [whole(), upload.finish(0)], 'some were lost'],
      [
        'a chunk after its finish',
        () => [whole(), upload.finish(bytes.length), upload.chunk(Buffer.alloc(1))],
        'has to end with its finish',
      ],
      [
        'a second finish',
        () => [whole(), upload.finish(bytes.length), upload.finish(bytes.length)],
        'has to end with its finish',
      ],
      ['a second header', () => [whole(), upload.header(ref), upload.finish(bytes.length)], 'chunks and a finish'],
      [
        'an empty message',
        () => [whole(), framed(Buffer.alloc(0)), upload.finish(bytes.length)],
        'chunks and a finish',
      ],
      ['no header', () => [upload.chunks(bytes), upload.finish(bytes.length)], 'has to start with its header'],
    ] as const) {
      it(`is refused, and leaves nothing behind, when it has ${what}`, async () => {
        await expectRefusal(messages(), Code.INVALID_ARGUMENT, text);
      });
    }

    it('is refused, and leaves nothing behind, when it has a malformed message', async () => {
      const call = await begin();
      await call.send(framed(Buffer.from('ff'.repeat(20), 'hex')));
      expect((await call.outcome).code).to.equal(Code.INTERNAL);
      await expectNothing();
    });

    it('is refused, and leaves nothing behind, when it has a message of more than 4 MiB', async () => {
      const call = await begin();
      await call.send(framed(Buffer.alloc(4 * MiB + 1)));
      expect((await call.outcome).code).to.equal(Code.RESOURCE_EXHAUSTED);
      await expectNothing();
    });

    it('is refused, and leaves nothing behind, when a message is unpacked to more than 4 MiB', async () => {
      const call = client.call(putPath, { 'grpc-encoding': 'gzip' });
      await call.send(upload.header(ref), upload.chunks(bytes));
      await untilWriting(folder);
      await call.send(zipped(upload.chunk(Buffer.alloc(64 * MiB))));
      expect((await call.outcome).code).to.equal(Code.RESOURCE_EXHAUSTED);
      await expectNothing();
    });

    it('is refused, and leaves nothing behind, when a message is compressed in a way that was not offered', async () => {
      const call = client.call(putPath, { 'grpc-encoding': 'br' });
      await call.send(upload.header(ref), upload.chunks(bytes));
      await untilWriting(folder);
      const message = upload.chunk(Buffer.alloc(10));
      message[0] = 1;
      await call.send(message);
      expect((await call.outcome).code).to.equal(Code.UNIMPLEMENTED);
      await expectNothing();
    });
  });

  it('is told of its deadline, and leaves nothing behind', async () => {
    const call = client.call(putPath, { 'grpc-timeout': '500m' });
    await call.send(upload.header(ref), upload.chunks(bytes));
    await untilWriting(folder);
    expect((await call.outcome).code).to.equal(Code.DEADLINE_EXCEEDED);
    await expectNothing();
  });

  it('is stored, however far away its deadline is', async () => {
    for (const timeout of ['2592000S', '1000H', '99999999H']) {
      const object = newRef('packfile');
      const call = client.call(putPath, { 'grpc-timeout': timeout });
      call.end(upload.whole(object, bytes));
      expect(await call.outcome).to.include({ code: Code.OK });
    }
  });

  it('leaves nothing behind when its stream is ended and reset, as grpc-js cancels', async () => {
    const call = await begin();
    call.cancel();
    await expectNothing();
  });

  it("leaves nothing behind when grpc-js's own client cancels it", async () => {
    const cancelling = connect(gateway.grpcPort);
    const code = await new Promise((resolve) => {
      const call = cancelling.putObject((error) => resolve(error?.code));
      call.on('error', () => undefined);
      call.write({
        part: { $case: 'header', value: { store: '', ref: { kind: 1, mac: Buffer.from(ref.mac, 'hex') } } },
      });
      call.write({ part: { $case: 'chunk', value: bytes } });
      void untilWriting(folder).then(() => call.cancel());
    });
    expect(code).to.equal(Code.CANCELLED);
    cancelling.close();
    await expectNothing();
  });

  it('tells a client that sends on what it did wrong at its beginning', async () => {
    const other = { kind: ref.kind, mac: ref.mac };
    await putAll(store, ref, bytes);
    const call = client.call(putPath);
    await call.send(upload.header(other), upload.chunks(makeObject('packfile', MiB, 'other')));
    const { code, message } = await call.outcome;
    expect(code).to.equal(Code.ALREADY_EXISTS);
    expect(message).to.contain('never replaced');
  });

  it('leaves the other calls of its connection alone when it is reset', async () => {
    const calls = await Promise.all(Array.from({ length: 10 }, () => begin(newRef('packfile'))));
    calls.forEach((call, i) => (i % 2 === 0 ? call.cancel() : call.end(upload.finish(bytes.length))));
    const outcomes = await Promise.all(calls.map(({ outcome }) => outcome));
    expect(outcomes.filter(({ code }) => code === Code.OK)).to.have.length(5);
    await untilClean(folder);
    expect(await objects(folder)).to.have.length(5);
  });

  function whole(): Buffer {
    return Buffer.concat([upload.header(ref), upload.chunks(bytes)]);
  }

  /** Starts an upload, up to before its finish. */
  async function begin(target = ref): Promise<RawCall> {
    const call = client.call(putPath);
    await call.send(upload.header(target), upload.chunks(bytes));
    await untilWriting(folder);
    return call;
  }

  async function expectRefusal(messages: readonly Buffer[], code: number, text: string): Promise<void> {
    const call = client.call(putPath);
    call.end(...messages);
    const outcome = await call.outcome;
    expect(outcome.code).to.equal(code);
    expect(outcome.message).to.contain(text);
    await expectNothing();
  }

  /** Nothing is stored nor left, the handler is done, and the name can be used again. */
  async function expectNothing(connection: { close(): void } = client): Promise<void> {
    await untilClean(folder);
    await eventually(async () => gateway.log.some(({ method }) => method === putPath), 'the upload is logged');
    expect(await objects(folder)).to.deep.equal([]);
    expect(await listAll(store, 'packfile')).to.deep.equal([]);
    await expectFailure(store.get(ref, undefined), 'not_found');
    connection.close();
    client.close();
    await untilOpenFiles(0, folder);
    await untilOpenSockets(openBefore);
    await putAll(store, ref, bytes);
    expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
  }
});
