import { expect } from 'chai';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import { Authority } from '../support/certificate.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { klosetClients } from '../support/klosetclient.js';
import { tempFolder } from '../support/temp.js';
import { makeTree, treeAt } from './tree.js';

/* plakar's own client code over TLS, which is by HTTP/2 there. */

describe("plakar's client code and a gateway with TLS", function () {
  this.timeout(60_000);
  const clientOf = klosetClients();
  let gateway: TestGateway;
  let authorities: string;
  let location: string;

  before(async () => {
    const authority = await Authority.create();
    const { certFile: cert, keyFile: key } = await authority.issue();
    const folder = join(await tempFolder(), 'store');
    await clientOf(folder).create();
    gateway = await startTestGateway(undefined, {
      stores: { 'teams/blue': { location: folder } },
      principals: { ann: { tokens: [`sha256:${tokenDigest('token-of-ann')}`], access: { 'teams/blue': 'append' } } },
      cert,
      key,
      'min-free-space': 0,
    });
    authorities = authority.certFile;
    location = `https://localhost:${gateway.httpPort}/teams/blue`;
  });

  after(() => gateway?.close());

  it('backs up, checks and restores over TLS, with its token', async () => {
    const client = clientOf(location, { authorities, authToken: 'token-of-ann' });
    const tree = join(await tempFolder(), 'tree');
    await mkdir(tree);
    await makeTree(tree, 'over TLS');
    const { snapshot, errors } = await client.backup(tree);
    expect(errors).to.equal(0);
    expect(await client.check()).to.equal(1);
    const restored = [...(await treeAt(await client.restore(snapshot)))].filter(([, what]) => what.startsWith('file '));
    expect(new Map(restored)).to.deep.equal(
      new Map([...(await treeAt(tree))].filter(([, what]) => what.startsWith('file '))),
    );
  });

  it('is refused without its token, and refuses a gateway that nobody vouches for', async () => {
    const without = await clientOf(location, { authorities }).list().catch(String);
    expect(without).to.include('store "teams/blue" requires a login');
    const untrusted = await clientOf(location, { authToken: 'token-of-ann' }).list().catch(String);
    expect(untrusted).to.include('certificate signed by unknown authority');
  });
});
