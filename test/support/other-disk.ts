import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';

/** A folder on another disk than the tests' stores, for the tests of a suite, which are skipped where there is none. */
export function otherDisk(): () => string {
  let folder: string;

  before(async function () {
    folder = await mkdtemp('/dev/shm/kloset-gateway-test-');
    if ((await stat(folder)).dev === (await stat(tmpdir())).dev) this.skip();
  });

  after(() => rm(folder, { recursive: true }));

  return () => folder;
}
