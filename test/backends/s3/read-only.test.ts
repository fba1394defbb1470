import { expect } from 'chai';
import type { TestGateway } from '../../support/gateway.js';
import { HttpStore } from '../../support/http-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { startS3Gateway } from '../../support/s3-store.js';
import { expectFailure, getAll, listAll, putAll } from '../../support/store.js';

describe('a gateway on a server that overwrites what a Complete names', () => {
  const server = s3Server({ program: 'gofakes3' });
  const ref = newRef('packfile');
  const bytes = makeObject('packfile', 1000);
  let gateway: TestGateway;
  let client: HttpStore;

  before(async () => {
    const prefix = await server().emptyStore();
    await server().put(`${prefix}/packfiles/${ref.mac.slice(0, 2)}/${ref.mac}`, bytes);
    gateway = await startS3Gateway(server(), prefix);
    client = new HttpStore(gateway.httpPort);
  });

  after(async () => {
    await client?.close();
    await gateway?.close();
  });

  it('serves what is there', async () => {
    expect(await listAll(client, 'packfile')).to.deep.equal([ref.mac]);
    expect((await getAll(client, ref)).equals(bytes)).to.equal(true);
  });

  it('takes nothing', async () => {
    for (const kind of ['packfile', 'state', 'lock'] as const) {
      await expectFailure(putAll(client, newRef(kind), makeObject(kind, 1000)), 'unimplemented');
      await expectFailure(client.delete(ref), 'unimplemented');
    }
    expect((await getAll(client, ref)).equals(bytes)).to.equal(true);
  });

  it('says in its log what was tried, and what came', () => {
    const warnings = gateway.log.filter(({ level }) => level === 'warn').map((line) => JSON.stringify(line));
    expect(warnings.filter((line) => /read-only/.test(line) && /multipart|Complete/.test(line))).to.have.length(1);
  });
});
