import { expect } from 'chai';
import { objectKinds, type ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { GatewayStore } from '../../src/backends/gateway/gateway-store.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { HttpStore } from '../support/http-store.js';
import { HttpV10Store } from '../support/http-v1.0-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { PlakarStore } from '../support/plakar-store.js';
import { getAll, listAll, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';

const rounds = 25;

describe('clients of every kind at once on one store', function () {
  this.timeout(60_000);
  let gateway: TestGateway;
  let clients: Record<string, Store>;

  before(async () => {
    gateway = await startTestGateway(await emptyStore(), { 'allow-write': true });
    clients = {
      'HTTP 1.1': new HttpStore(gateway.httpPort),
      'HTTP 1.0': new HttpV10Store(gateway.httpPort),
      "plakar's gRPC": await PlakarStore.open(gateway.grpcPort),
      'our gRPC': await GatewayStore.open({ address: `127.0.0.1:${gateway.grpcPort}` }),
    };
  });

  after(async () => {
    for (const client of Object.values(clients)) await client.close();
    await gateway.close();
  });

  it('each reads all that each wrote, whole, and no lock is left', async () => {
    const written = new Map<ObjectRef, Buffer>();
    await Promise.all(
      Object.entries(clients).map(async ([name, client]) => {
        const lock = newRef('lock');
        await putAll(client, lock, makeObject('lock', 124, name));
        for (let round = 0; round < rounds; round++) {
          const ref = newRef(round % 5 === 0 ? 'state' : 'packfile');
          const bytes = makeObject(ref.kind, 1000 + round ** 4, `${name} ${round}`);
          await putAll(client, ref, bytes);
          written.set(ref, bytes);
          // Meanwhile, what another client has just written.
          const [some, wanted] = [...written][Math.floor(Math.random() * written.size)] ?? [ref, bytes];
          expect((await getAll(client, some)).equals(wanted)).to.equal(true);
        }
        await client.delete(lock, { signal: new AbortController().signal });
      }),
    );
    expect(written.size).to.equal(4 * rounds);
    for (const [name, client] of Object.entries(clients)) {
      for (const kind of objectKinds) {
        const macs = [...written.keys()].filter((ref) => ref.kind === kind).map(({ mac }) => mac);
        expect((await listAll(client, kind)).sort(), `${name}, ${kind}s`).to.deep.equal(macs.sort());
      }
      for (const [ref, bytes] of written) expect((await getAll(client, ref)).equals(bytes), name).to.equal(true);
    }
  });
});
