import { expect } from 'chai';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copiesAdvice } from '../../src/cli/damage-text.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { runCommand } from '../../src/cli/run-command.js';
import type { VerifiedRef } from '../../src/integrity/verify-report.js';
import { Folder } from '../integrity/support/copies.js';
import { host, startTestGateway } from '../support/gateway.js';
import { s3Server } from '../support/s3-server.js';
import { fixtureStore, tempFolder } from '../support/temp.js';
import { run, runJson } from './support/undo.js';

interface Document {
  readonly applied: boolean;
  readonly repaired: readonly { mac: string }[];
  readonly left: readonly { mac: string }[];
}

describe('repair', () => {
  let folder: Folder;
  let other: Folder;
  let cut: VerifiedRef;
  let differs: VerifiedRef;

  beforeEach(async () => {
    folder = await Folder.create('encrypted');
    [cut, differs] = [await folder.add('packfile', 1000, 'cut'), await folder.add('state', 1000, 'differs')];
    other = await folder.copy();
    await folder.record([cut]);
    await folder.cut(cut, 0.5);
    await folder.flip(differs, 0.5);
  });

  it('shows what it would replace, and what it leaves, and changes nothing', async () => {
    const before = await folder.read(cut);
    const { exitCode, stdout, stderr } = await run('repair', folder.path, '--from', other.path);
    expect({ exitCode, stderr }).to.deep.equal({
      exitCode: 1,
      stderr: 'Nothing was changed: add --apply to do it.\n',
    });
    expect(stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))).to.deep.equal([
      `${folder.path}: 1 object to be replaced with the other copy's:`,
      `packfile | ${cut.mac} | has 500 bytes instead of 1000; the other copy is whole`,
      '',
      `${folder.path}: 1 object left as it is:`,
      `state | ${differs.mac} | differs from the other copy, and nothing tells which of the two is right; the other copy may be whole`,
      `Nothing here tells which copy is right. ${copiesAdvice}.`,
      '',
    ]);
    expect((await folder.read(cut)).equals(before)).to.equal(true);
  });

  it('replaces what is damaged, and moves it to the trash', async () => {
    const document = await runJson<Document>('repair', folder.path, '--from', other.path, '--apply');
    expect(document.applied).to.equal(true);
    expect(document.repaired.map(({ mac }) => mac)).to.deep.equal([cut.mac]);
    expect(document.left.map(({ mac }) => mac)).to.deep.equal([differs.mac]);
    expect((await folder.read(cut)).equals(await other.read(cut))).to.equal(true);
    const trashed = await runJson<{ objects: { mac: string; bytes: number }[] }>('trash', 'list', folder.path);
    expect(trashed.objects.map(({ mac, bytes }) => [mac, bytes])).to.deep.equal([[cut.mac, 500]]);
    const naming = ['repair', folder.path, '--from', other.path, '--mac', differs.mac, '--apply'];
    expect(await run(...naming)).to.deep.include({ exitCode: 1 });
    expect((await folder.read(differs)).equals(await other.read(differs))).to.equal(false);
    const named = await run(...naming, '--unproven');
    expect(named).to.deep.include({ exitCode: 0 });
    expect(named.stdout).to.include('1 object replaced with the other copy');
    const again = await run('repair', folder.path, '--from', other.path, '--apply');
    expect(again).to.deep.include({ exitCode: 0, stdout: `${folder.path}: nothing is damaged\n`, stderr: '' });
  });

  it('ends with 1 where CONFIG is damaged, which it leaves', async () => {
    const plain = await Folder.create('plaintext');
    const copy = await plain.copy();
    await plain.changeConfig();
    const { exitCode, stdout } = await run('repair', plain.path, '--from', copy.path, '--apply');
    expect(exitCode).to.equal(1);
    expect(stdout).to.include('its CONFIG has other bytes').and.include('replaced by hand').and.include('no object is');
  });

  it('says what to do about a folder in the place of an object', async () => {
    await rm(folder.file(cut));
    await mkdir(folder.file(cut));
    const naming = ['repair', folder.path, '--from', other.path, '--mac', cut.mac, '--apply'];
    const { exitCode, stderr } = await run(...naming);
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('is no file: move it away by hand').and.not.include('hard links');
    await rm(folder.file(cut), { recursive: true });
    expect((await run(...naming)).exitCode).to.equal(0);
  });

  it('moves it to a folder instead, if there is one', async () => {
    const to = join(await tempFolder(), 'damaged');
    const damaged = await folder.read(cut);
    await run('repair', folder.path, '--from', other.path, '--to-folder', to, '--apply');
    expect(await readdir(to)).to.deep.equal([`packfile-${cut.mac}`]);
    expect((await readFile(join(to, `packfile-${cut.mac}`))).equals(damaged)).to.equal(true);
    expect((await runJson<{ objects: unknown[] }>('trash', 'list', folder.path)).objects).to.be.empty;
    await folder.cut(cut, 0.2);
    await run('repair', folder.path, '--from', other.path, '--to-folder', to, '--apply');
    const kept = await Promise.all(['', '.2'].map((end) => readFile(join(to, `packfile-${cut.mac}${end}`))));
    expect(kept.map(({ length }) => length)).to.deep.equal([500, 200]);
  });

  it('takes good objects from a gateway, and replaces none there', async () => {
    const gateway = await startTestGateway(other.path);
    const location = `grpc://127.0.0.1:${gateway.grpcPort}`;
    const { stdout } = await run('repair', folder.path, '--from', location, '--mac', cut.mac, '--apply');
    expect(stdout).to.include('1 object replaced');
    const there = await run('repair', location, '--from', folder.path);
    await gateway.close();
    expect(there).to.deep.include({ exitCode: 2 });
    expect(there.stderr).to.include('can only be replaced on the machine that keeps the store');
  });

  it('says what is wrong with its arguments', async () => {
    for (const [args, text] of [
      [[], '--from LOCATION'],
      [['--from', other.path, '--mac', 'abc'], '--mac "abc"'],
      [['--from', other.path, '--unproven'], '--unproven needs --mac'],
    ] as const) {
      const { exitCode, stderr } = await run('repair', folder.path, ...args);
      expect({ exitCode, stderr }).to.deep.include({ exitCode: 2 });
      expect(stderr).to.include(text);
    }
    const none = await run('repair', folder.path, '--from', other.path, '--mac', '0'.repeat(64));
    expect(none.exitCode).to.equal(1);
    expect(none.stderr).to.include(`there is no ${'0'.repeat(64)} in ${folder.path} or ${other.path}`);
  });
});

describe('repair of a bucket that keeps no versions', function () {
  this.timeout(60_000);
  const server = s3Server();

  it('says at once, also where it changes nothing, that damaged objects need a folder', async () => {
    const location = server().location(await server().emptyStore());
    const other = await fixtureStore('v1.1-plaintext/store-empty');
    for (const more of [[], ['--apply']]) {
      const command = parseCommandLine(['repair', location, '--no-s3-tls', '--from', other, ...more]);
      const { exitCode, stderr } = await runCommand(command, {
        env: {},
        surroundings: { home: '/nonexistent', cwd: '/nonexistent' },
        host,
        user: { name: 'operator', home: '/nonexistent', env: server().env },
        print: async () => undefined,
        terminal: undefined,
      });
      expect({ exitCode, stderr }).to.deep.include({ exitCode: 1 });
      expect(stderr).to.include('enable versioning on the bucket, or name a folder of this machine with --to-folder');
    }
  });
});
