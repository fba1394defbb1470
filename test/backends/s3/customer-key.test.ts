import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCustomerKey } from '../../../src/backends/s3/customer-key.js';
import { expectFailure } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';

describe('the file with a customer key', () => {
  let file: string;
  const key = randomBytes(32);

  beforeEach(async () => {
    file = join(await tempFolder(), 'key');
  });

  it('has 32 bytes, as they are or in base64', async () => {
    for (const content of [key, key.toString('base64'), `${key.toString('base64')}\r\n`]) {
      await writeFile(file, content, { mode: 0o600 });
      expect(await readCustomerKey(file)).to.deep.equal(key);
    }
  });

  it('is refused with its path, but without its content, where it is anything else', async () => {
    for (const content of ['', 'topsecret', key.subarray(1), key.subarray(1).toString('base64'), key.toString('hex')]) {
      await writeFile(file, content);
      const { message } = await expectFailure(readCustomerKey(file), 'invalid_argument');
      expect(message).to.include(file).and.include('32 bytes');
      if (content.length > 0) expect(message).not.to.include(String(content));
    }
    const { message } = await expectFailure(readCustomerKey(`${file}.missing`), 'invalid_argument');
    expect(message).to.include(`${file}.missing can't be read: it does not exist`);
  });

  it('causes a warning if every user can read it', async () => {
    const warnings: string[] = [];
    await writeFile(file, key, { mode: 0o600 });
    await readCustomerKey(file, (warning) => warnings.push(warning));
    expect(warnings).to.deep.equal([]);
    await writeFile(`${file}2`, key, { mode: 0o644 });
    await readCustomerKey(`${file}2`, (warning) => warnings.push(warning));
    expect(warnings.join()).to.include('every user of this machine can read it');
  });
});
