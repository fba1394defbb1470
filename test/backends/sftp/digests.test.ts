import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { openSftp } from '../../../src/backends/sftp/open-sftp.js';
import { newSegmentName } from '../../../src/core/digests.js';
import { checkSegments } from '../../../src/integrity/digest-log.js';
import { describeDigestStorage } from '../../integrity/support/digest-storage-suite.js';
import { digestWriter, randomDigest, recordedDigests } from '../../support/digests.js';
import { host, silent } from '../../support/gateway.js';
import { newRef } from '../../support/objects.js';
import { hasSshd, Sshd } from '../../support/sshd.js';
import { ctx } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

describe('The digests of a store on an SSH server', () => {
  let sshd: Sshd;
  let folder: string;
  let opened: FileStore[];

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  beforeEach(async () => {
    folder = await emptyStore();
    opened = [];
  });

  afterEach(() => Promise.all(opened.map((store) => store.close())));

  after(async () => {
    await sshd?.stop();
  });

  async function open(durable = true): Promise<FileStore> {
    const files = await openSftp(sshd.location(folder), sshd.options, silent);
    const store = await FileStore.open(files, { durable, maxObjectBytes: 1e6, host });
    opened.push(store);
    return store;
  }

  describeDigestStorage(async () => [(await open()).digests, (await open()).digests]);

  it('are on the server when they are recorded, also where they are not synced', async () => {
    const { digests } = await open(false);
    const name = newSegmentName('host', 0);
    const appender = await digests.create(name);
    const line = Buffer.from('a line\n');
    for (let count = 1; count <= 20; count++) {
      await appender.append(line);
      const written = await readFile(join(folder, '.kloset-gateway/digests', name));
      expect(written).to.have.length(count * line.length);
    }
    await appender.close();
  });

  it('are recorded on through a new connection when one is lost', async () => {
    const { digests } = await open();
    const writer = digestWriter(digests);
    const refs = Array.from({ length: 3 }, () => newRef('packfile'));
    for (const ref of refs) {
      await writer.record(ref, randomDigest());
      await sshd.killConnections();
    }
    await writer.close();
    expect([...(await recordedDigests(digests)).keys()]).to.have.members(refs.map(({ mac }) => `packfile ${mac}`));
    expect(await checkSegments(digests, ctx)).to.deep.equal([]);
  });
});
