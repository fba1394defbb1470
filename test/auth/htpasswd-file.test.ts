import { expect } from 'chai';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { readHtpasswd } from '../../src/auth/htpasswd-file.js';
import { tempFolder } from '../support/temp.js';

/** What reading a file of this text ends with. */
async function failure(text: string | undefined): Promise<{ path: string; message: string }> {
  const path = join(await tempFolder(), 'htpasswd');
  if (text !== undefined) await writeFile(path, text);
  const message = await readHtpasswd(path).then(
    () => 'it was read',
    (error: unknown) => (error as Error).message,
  );
  return { path, message };
}

describe('readHtpasswd', () => {
  it('reads a file', async () => {
    const path = join(await tempFolder(), 'htpasswd');
    const hash = hashSync('secret', 4);
    await writeFile(path, `ann:${hash}\n`);
    expect([...(await readHtpasswd(path)).entries]).to.deep.equal([['ann', hash]]);
  });

  it('warns if every user of the machine can read it', async () => {
    const path = join(await tempFolder(), 'htpasswd');
    await writeFile(path, '');
    for (const mode of [0o640, 0o644]) {
      const warnings: string[] = [];
      await chmod(path, mode);
      await readHtpasswd(path, (warning) => warnings.push(warning));
      expect(warnings).to.deep.equal(
        mode === 0o640
          ? []
          : [`${path} has password hashes, and every user of this machine can read it: \`chmod o-r\` it`],
      );
    }
  });

  it('names the file and line of everything that is wrong', async () => {
    const { path, message } = await failure('ann:secret\n\nbob');
    const [first, second, ...others] = message.split('\n');
    expect(first).to.include(`${path}:1: `).and.to.include('htpasswd -B');
    expect(second).to.include(`${path}:3: `).and.to.include('NAME:HASH');
    expect(others).to.deep.equal([]);
  });

  it('says that there is no such file', async () => {
    const { path, message } = await failure(undefined);
    expect(message).to.include("can't be read").and.to.include(path);
  });
});
