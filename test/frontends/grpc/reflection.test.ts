import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { windowBytes } from '../../../src/frontends/grpc/http2-connections.js';
import { startTestGateway } from '../../support/gateway.js';
import { askReflection } from '../../support/reflection.js';
import { emptyStore } from '../../support/temp.js';
import { framed } from '../../wire/support/raw-grpc.js';
import { RawHttp2 } from '../../wire/support/raw-http2.js';

async function fileOf(port: number, symbol: string): Promise<FileDescriptorProto> {
  const { fileDescriptorResponse } = await askReflection(port, { fileContainingSymbol: symbol });
  return fromBinary(FileDescriptorProtoSchema, fileDescriptorResponse?.fileDescriptorProto[0] ?? new Uint8Array());
}

describe('reflection', () => {
  it('lists the services, and describes each with the names of its proto file', async () => {
    const { grpcPort, close } = await startTestGateway(await emptyStore());
    const { listServicesResponse } = await askReflection(grpcPort, { listServices: '*' });
    const names = listServicesResponse?.service.map(({ name }) => name);
    expect(names).to.include.members(['kloset.store.v1.StoreService', 'grpc.health.v1.Health']);
    const file = await fileOf(grpcPort, 'kloset.store.v1.StoreService');
    const request = file.messageType.find(({ name }) => name === 'ListObjectsRequest');
    expect(request?.field.map(({ name, jsonName }) => [name, jsonName])).to.deep.equal([
      ['store', 'store'],
      ['kind', 'kind'],
      ['with_details', 'withDetails'],
    ]);
    await close();
  });

  it('names the entries of map fields as protobuf prescribes', async () => {
    const { grpcPort, close } = await startTestGateway(await emptyStore());
    const file = await fileOf(grpcPort, 'grpc.health.v1.Health');
    const message = file.messageType.find(({ name }) => name === 'HealthListResponse');
    expect(message?.nestedType.map(({ name }) => name)).to.deep.equal(['StatusesEntry']);
    expect(message?.field[0]?.typeName).to.equal('.grpc.health.v1.HealthListResponse.StatusesEntry');
    await close();
  });

  it('has a client wait that takes no answers', async () => {
    const { grpcPort, close } = await startTestGateway(await emptyStore());
    const connection = await RawHttp2.connect(grpcPort);
    const stream = connection.request('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
    const symbol = Buffer.from('kloset.store.v1.StoreService');
    const one = framed(Buffer.concat([Buffer.from([0x22, symbol.length]), symbol]));
    const many = Buffer.concat(Array.from({ length: 1000 }, () => one));
    let sent = 0;
    void (async () => {
      for (; sent < 1000; sent++) await connection.data(stream, many);
    })();
    for (let before = -1; before < sent;) {
      before = sent;
      await sleep(300);
    }
    // What the windows of both sides hold, of 35 MB.
    expect(sent * many.length).to.be.lessThan(windowBytes + 4 * 1024 * 1024);
    connection.close();
    await close();
  });
});
