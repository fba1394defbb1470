import { expect } from 'chai';
import { hashSync } from 'bcryptjs';
import { BcryptWorker } from '../../src/auth/bcrypt-worker.js';
import { StoreError } from '../../src/core/errors.js';
import { expectFailure } from '../support/store.js';

const good = hashSync('secret', 4);

describe('BcryptWorker', () => {
  let worker: BcryptWorker;
  beforeEach(() => {
    worker = new BcryptWorker();
  });
  afterEach(() => worker.close());

  it('tells the right password from others', async () => {
    const answers = await Promise.all(['secret', 'Secret', '', 'secret '].map((text) => worker.compare(text, good)));
    expect(answers).to.deep.equal([true, false, false, false]);
  });

  for (const kind of ['2a', '2b', '2y']) {
    it(`knows hashes of the kind ${kind}`, async () => {
      expect(await worker.compare('secret', good.replace(/^\$2.\$/, `$${kind}$`))).to.equal(true);
    });
  }

  it("doesn't keep the program running", async () => {
    const ports = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
    const before = ports();
    await worker.compare('secret', good);
    expect(ports()).to.equal(before);
  });

  it('starts a new thread after one crashed', async () => {
    // Not a hash that the htpasswd parser takes.
    const error = await expectFailure(worker.compare('secret', `$2z${good.slice(3)}`), 'unavailable');
    expect(error.cause).to.be.an('error');
    expect(await worker.compare('secret', good)).to.equal(true);
  });

  it('refuses comparisons when too many wait', async () => {
    const all = Promise.allSettled(Array.from({ length: 258 }, () => worker.compare('secret', good)));
    await worker.close();
    const codes = (await all).map((result) => result.status === 'rejected' && StoreError.from(result.reason).code);
    expect(codes.slice(256)).to.deep.equal(['too_many_requests', 'too_many_requests']);
    expect(codes.slice(0, 256)).to.not.include('too_many_requests');
  });

  it('cancels pending comparisons when it is closed, and accepts no others', async () => {
    const waiting = worker.compare('secret', good);
    const failure = expectFailure(waiting, 'canceled');
    await worker.close();
    await failure;
    await expectFailure(worker.compare('secret', good), 'canceled');
  });
});
