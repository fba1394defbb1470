import { expect } from 'chai';
import { formatSftpLocation } from '../../src/backends/sftp/location.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { grpcKlosetClients } from '../support/grpc-klosetclient.js';
import { klosetClients, type KlosetClient } from '../support/klosetclient.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';
import { changeTree, makeTree, treeAt } from './tree.js';

describe("plakar's client, over a store on a real OpenSSH server", function () {
  this.timeout(180_000);
  const client = klosetClients();
  const grpcClient = grpcKlosetClients();
  let sshd: Sshd;
  let gateway: TestGateway;

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  afterEach(async () => {
    await gateway.close();
    await eventually(async () => (await sshd.connectionProcesses()).length === 0, 'no connection is left');
  });

  after(async () => {
    await sshd?.stop();
  });

  /** A new store behind the server, and clients of it: through the gateway, and of the folder itself. */
  async function open(passphrase?: string): Promise<Record<'through' | 'throughGrpc' | 'itself', KlosetClient>> {
    const store = `${await tempFolder()}/store`;
    const itself = client(store, { passphrase });
    await itself.create();
    const location = formatSftpLocation(sshd.location(store));
    gateway = await startTestGateway(location, { ...sshd.settings, 'allow-write': true });
    return {
      through: client(`http://127.0.0.1:${gateway.httpPort}`, { passphrase }),
      throughGrpc: grpcClient(`grpc://127.0.0.1:${gateway.grpcPort}`, { passphrase }),
      itself,
    };
  }

  for (const passphrase of [undefined, 'a long enough passphrase 1']) {
    it(`backs up, checks and restores ${passphrase === undefined ? 'a plaintext' : 'an encrypted'} store`, async () => {
      const { through, itself } = await open(passphrase);
      const tree = await tempFolder();
      await makeTree(tree, 'sftp');
      const first = await through.backup(tree);
      const before = await treeAt(tree);
      await changeTree(tree, 'sftp, changed');
      const second = await through.backup(tree);
      expect(await through.check()).to.equal(2);
      expect(await treeAt(await through.restore(first.snapshot))).to.deep.equal(before);
      expect(await treeAt(await through.restore(second.snapshot))).to.deep.equal(await treeAt(tree));
      expect(await itself.check()).to.equal(2);
      expect(await through.objects('lock')).to.deep.equal([]);
    });
  }

  it('backs up, checks and restores through gRPC, and reads there what came through HTTP', async () => {
    const { through, throughGrpc, itself } = await open();
    const tree = await tempFolder();
    await makeTree(tree, 'sftp, gRPC');
    const taken = [await through.backup(tree), await throughGrpc.backup(tree)];
    for (const { errors, lockError } of taken) expect([errors, lockError]).to.deep.equal([0, undefined]);
    expect(await throughGrpc.check()).to.equal(2);
    for (const { snapshot } of taken) {
      expect(await treeAt(await throughGrpc.restore(snapshot))).to.deep.equal(await treeAt(tree));
    }
    expect(await itself.check()).to.equal(2);
  });

  it('does all that while the connections of the server are killed every two seconds', async () => {
    const { through, itself } = await open();
    let killed = 0;
    const killing = setInterval(() => void sshd.killConnections().then((count) => (killed += count)), 2000);
    try {
      // Long enough to be hit in the middle of everything.
      for (let round = 0; round < 4 || killed < 4; round++) {
        const tree = await tempFolder();
        await makeTree(tree, `killed ${round}`);
        const { snapshot, errors, lockError } = await through.backup(tree);
        expect([errors, lockError]).to.deep.equal([0, undefined]);
        expect(await through.check()).to.equal(round + 1);
        expect(await treeAt(await through.restore(snapshot))).to.deep.equal(await treeAt(tree));
      }
    } finally {
      clearInterval(killing);
    }
    expect(await itself.check()).to.be.at.least(4);
    const refused = gateway.log.filter(({ message, status }) => message === 'request' && status !== 200);
    expect(refused).to.deep.equal([]);
  });
});
