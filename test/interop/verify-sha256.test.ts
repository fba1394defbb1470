import { expect } from 'chai';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, runJson } from '../cli/support/undo.js';
import { klosetClients } from '../support/klosetclient.js';
import { seededBytes } from '../support/objects.js';
import { tempFolder } from '../support/temp.js';

interface Report {
  readonly whole: boolean;
  readonly config?: string;
  readonly proofs: Readonly<Record<string, number>>;
  readonly damaged: readonly { readonly mac: string; readonly problem: string }[];
}

/* Kloset can make MACs by HMAC-SHA256, too, though plakar itself makes no such store: a store without encryption of Kloset's own library. */

describe('A store whose MACs are HMAC-SHA256', function () {
  this.timeout(60_000);
  const clientOf = klosetClients();

  it('is verified by them, all objects and CONFIG, and a flipped bit in each is found', async () => {
    const folder = join(await tempFolder(), 'store');
    const client = clientOf(folder);
    await client.create(100_000, 'SHA256');
    const tree = await tempFolder();
    for (let i = 0; i < 5; i++) await writeFile(join(tree, `${i}`), seededBytes(40_000, `sha256 ${i}`));
    await client.backup(tree);
    expect((await run('info', folder)).stdout).to.match(/hashing +SHA256/);
    const objects = await objectsIn(folder);
    const kinds = ['packfiles', 'states'];
    for (const kind of kinds)
      expect(
        objects.some((path) => path.includes(`/${kind}/`)),
        kind,
      ).to.equal(true);
    const whole = await runJson<Report>('verify', folder);
    expect(whole).to.include({ whole: true });
    expect(whole.proofs).to.deep.equal({ digest: 0, mac: objects.length, otherCopy: 0, header: 0 });

    for (const path of objects) await flipBit(path);
    const { damaged } = await runJson<Report>('verify', folder);
    expect(damaged.map(({ mac, problem }) => `${mac} ${problem}`)).to.have.members(
      objects.map((path) => `${path.slice(-64)} mac`),
    );
    for (const path of objects) await flipBit(path);
    await flipBit(join(folder, 'CONFIG'), -1);
    const { config } = await runJson<Report>('verify', folder);
    expect(config).to.match(/^has other bytes than when it was written/);
  });
});

/** The files of all packfiles and states. */
async function objectsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name));
  return files.map(({ parentPath, name }) => join(parentPath, name)).filter((path) => !path.includes('/locks/'));
}

/** @param at which byte; by default the one in the middle */
async function flipBit(path: string, at?: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at === undefined ? bytes.length >> 1 : bytes.length + at;
  bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
  await writeFile(path, bytes);
}
