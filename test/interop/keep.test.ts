import { expect } from 'chai';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../cli/support/undo.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { klosetClients } from '../support/klosetclient.js';
import { seededBytes } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';

/* What docs/keep.md promises, with plakar's own client code: a mirror, a bit that flips, the event that names the object, one command that mends it. */

describe('a store with a mirror and digests', function () {
  this.timeout(60_000);
  const clientOf = klosetClients();
  let gateway: TestGateway | undefined;

  afterEach(async () => gateway?.close());

  it('survives a flipped bit: the event names the object and the command that mends it', async () => {
    const folder = await tempFolder();
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await clientOf(first).create(200_000);
    expect((await run('copy', first, second, '--create')).exitCode).to.equal(0);
    const whole = { digests: 'sha256', mirror: { to: second }, verify: { every: '1s', rate: '1GiB' } } as const;
    const times = { mirroringTimes: { settleMs: 100 }, verifyingTimes: { gatherMs: 100 } };
    const stores = { '': { location: first, anonymous: 'append', ...whole } } as const;
    gateway = await startTestGateway(undefined, { stores }, times);
    const tree = await tempFolder();
    for (let i = 0; i < 20; i++) await writeFile(join(tree, `${i}`), seededBytes(30_000, `keep ${i}`));
    await clientOf(`http://127.0.0.1:${gateway.httpPort}`).backup(tree);
    await eventually(
      async () => (await readdir(join(second, 'states'), { recursive: true })).some(isMac),
      'the mirror has a state',
    );
    expect(await clientOf(second).check()).to.equal(1);

    const { path, mac } = await somePackfile(first);
    const bytes = await readFile(path);
    const middle = bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    await writeFile(path, bytes);
    const told = await eventually(
      async () => gateway?.log.find(({ event, message }) => event === 'damage-found' && message.includes(mac))?.message,
      'the event names the packfile',
    );
    const [, command = ''] = /kloset-gateway (repair .*--apply)/.exec(told) ?? [];
    const mended = await run(...command.split(' '));
    expect(mended.exitCode, mended.stderr).to.equal(0);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    expect((await readFile(path)).equals(bytes)).to.equal(true);
    expect(await clientOf(first).check()).to.equal(1);
    expect((await run('verify', first, '--against', second)).exitCode).to.equal(0);
  });
});

function isMac(path: string): boolean {
  return /(^|\/)[0-9a-f]{64}$/.test(path);
}

async function somePackfile(store: string): Promise<{ path: string; mac: string }> {
  const packfiles = join(store, 'packfiles');
  const entries = await readdir(packfiles, { recursive: true, withFileTypes: true });
  const found = entries.find((each) => each.isFile() && isMac(each.name));
  if (found === undefined) throw new Error('there is no packfile');
  return { path: join(found.parentPath, found.name), mac: found.name };
}
