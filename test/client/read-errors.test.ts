import { expect } from 'chai';
import { GatewayClient } from '../../src/client/client.js';
import { StoreError } from '../../src/core/errors.js';
import { fromReadError, toReadError } from '../../src/wire/errors.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { makeObject, newRef } from '../support/objects.js';
import { emptyStore } from '../support/temp.js';

describe('The error of one read among many', () => {
  let gateway: TestGateway;
  let client: GatewayClient;

  beforeEach(async () => {
    const settings = { 'allow-write': true, 'max-requests': 1, 'queue-timeout': 0 };
    gateway = await startTestGateway(await emptyStore(), settings);
    client = new GatewayClient({ address: `127.0.0.1:${gateway.grpcPort}` });
  });

  afterEach(async () => {
    client.close();
    await gateway.close();
  });

  it('is too_many_requests where the caller has too many, though no_space has the same gRPC status', async () => {
    const ref = newRef('packfile');
    await client.put(ref, makeObject('packfile', 16 * 1024 ** 2));
    const { chunks } = await client.get(ref);
    await chunks.next();
    const range = { offset: 0, length: 1 };
    const codes: (string | undefined)[] = [];
    for await (const { error } of client.readRanges([{ ref, range }])) codes.push(error?.code);
    expect(codes).to.deep.equal(['too_many_requests']);
    await chunks.return();
  });

  it('has its code and message again on the other side', () => {
    for (const code of ['no_space', 'too_many_requests', 'not_found', 'too_large', 'internal'] as const) {
      expect(fromReadError(toReadError(new StoreError(code, 'why')))).to.include({ code, message: 'why' });
    }
  });

  it('is the first code with its gRPC status where a gateway does not name the code', () => {
    expect(fromReadError({ code: 5, message: 'why', errorCode: '' })).to.include({ code: 'not_found', message: 'why' });
    expect(fromReadError({ code: 8, message: 'why', errorCode: 'of the future' }).code).to.equal('no_space');
    expect(fromReadError({ code: 99, message: 'why', errorCode: '' }).code).to.equal('internal');
  });
});
