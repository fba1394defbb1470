import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListObjectsV2Command,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestGateway } from '../support/gateway.js';
import { grpcKlosetClients } from '../support/grpc-klosetclient.js';
import { klosetClients } from '../support/klosetclient.js';
import { s3Server } from '../support/s3-server.js';
import { startS3Gateway } from '../support/s3-store.js';
import { fixtureStore, tempFolder } from '../support/temp.js';
import { makeTree, treeAt } from './tree.js';

/** The size of the parts in which plakar's s3 connector uploads, in bytes. */
const partBytes = 16 * 1024 * 1024;

/**
 * The keys of plakar's s3 connector below a store's prefix, of those that it doesn't leave out: up to v1.1.2 it fails for all others in the
 * folders of packfiles and states. PlakarKorp/integrations, s3/storage, at s3/v1.1.5.
 */
const keysOfPlakar = /^(CONFIG|(packfiles|states)\/([0-9a-f]{2})\/\3[0-9a-f]{62}|locks\/[0-9a-f]{64})$/;

describe("plakar's client, over a store in S3", function () {
  this.timeout(120_000);
  const clientOf = klosetClients();
  const grpcClientOf = grpcKlosetClients();
  const server = s3Server();
  let gateways: TestGateway[] = [];

  afterEach(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()));
    gateways = [];
  });

  /** Uploads a store as plakar's s3 connector does: each file by parts. Resolves to its prefix. */
  async function upload(folder: string): Promise<string> {
    const prefix = `plakar/${(await readdir(folder)).length}-${Math.random().toString(36).slice(2)}`;
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const { parentPath, name } of entries.filter((entry) => entry.isFile())) {
      const path = join(parentPath, name);
      await uploadByParts(`${prefix}${path.slice(folder.length)}`, await readFile(path));
    }
    return prefix;
  }

  async function uploadByParts(key: string, bytes: Buffer): Promise<void> {
    const { client, bucket } = server();
    const at = { Bucket: bucket, Key: key };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
    const parts: { ETag: string | undefined; PartNumber: number }[] = [];
    for (let offset = 0; offset === 0 || offset < bytes.length; offset += partBytes) {
      const PartNumber = parts.length + 1;
      const Body = bytes.subarray(offset, offset + partBytes);
      const { ETag } = await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
      parts.push({ ETag, PartNumber });
    }
    const complete = { ...at, UploadId, MultipartUpload: { Parts: parts } };
    await client.send(new CompleteMultipartUploadCommand(complete));
  }

  /** The keys below a prefix, without it. */
  async function keys(prefix: string): Promise<string[]> {
    const { client, bucket } = server();
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/` }));
    return Contents.map(({ Key = '' }) => Key.slice(prefix.length + 1));
  }

  it('backs up through two replicas at once, and leaves what plakar reads in the bucket itself', async () => {
    const made = join(await tempFolder(), 'store');
    await clientOf(made).create();
    const prefix = await upload(made);
    gateways = await Promise.all([startS3Gateway(server(), prefix), startS3Gateway(server(), prefix)]);
    const one = clientOf(`http://127.0.0.1:${gateways[0]?.httpPort}`);
    const two = grpcClientOf(`grpc://127.0.0.1:${gateways[1]?.grpcPort}`);
    // A key is a path in the bucket's folder, so that plakar's connector for folders reads there what its s3 connector gets.
    const itself = clientOf(join(server().folder, prefix));
    const trees = [await tempFolder(), await tempFolder()] as const;
    await makeTree(trees[0], 'one');
    await makeTree(trees[1], 'two');

    const backups = await Promise.all([one.backup(trees[0]), two.backup(trees[1])]);
    for (const { errors, lockError } of backups) expect([errors, lockError]).to.deep.equal([0, undefined]);
    for (const client of [one, two, itself]) expect(await client.check()).to.equal(2);
    // Each through the other one.
    expect(await treeAt(await two.restore(backups[0].snapshot))).to.deep.equal(await treeAt(trees[0]));
    expect(await treeAt(await one.restore(backups[1].snapshot))).to.deep.equal(await treeAt(trees[1]));

    expect(await one.objects('lock')).to.deep.equal([]);
    expect(await server().multiparts(prefix)).to.deep.equal([]);
    const foreign = (await keys(prefix)).filter((key) => !keysOfPlakar.test(key));
    expect(foreign.filter((key) => !key.startsWith('kloset-gateway/'))).to.deep.equal([]);
  });

  for (const version of ['v1.0', 'v1.1'] as const) {
    it(`finds nothing wrong in what plakar's s3 connector uploaded, ${version}, frozen copies included`, async () => {
      const folder = await fixtureStore(`${version}-plaintext/store-two-snapshots`);
      const prefix = await upload(folder);
      const plain = await keys(prefix);
      const frozen = plain.filter((key) => key === 'CONFIG' || key.startsWith('packfiles/'));
      for (const key of frozen) await server().put(`${prefix}/${key}.frozen`, await readFile(join(folder, key)));
      gateways = [await startS3Gateway(server(), prefix)];
      const through = clientOf(`http://127.0.0.1:${gateways[0]?.httpPort}`);
      for (const kind of ['packfile', 'state'] as const) {
        const there = plain.filter((key) => key.startsWith(`${kind}s/`)).map((key) => key.split('/')[2]);
        expect((await through.objects(kind)).sort()).to.deep.equal(there.sort());
      }
      if (version === 'v1.0') return;
      expect(await through.check()).to.equal(2);
      const [snapshot] = await through.list();
      const restored = await Promise.all(
        [through, clientOf(folder)].map((client) => client.restore(snapshot?.snapshot ?? '')),
      );
      expect(await treeAt(restored[0] ?? '')).to.deep.equal(await treeAt(restored[1] ?? ''));
    });
  }
});
