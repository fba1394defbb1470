import { removeTempFolders } from './temp.js';

/** Run around all tests, whatever their file. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    // A disk that has other things to do takes its time.
    this.timeout(180_000);
    await removeTempFolders();
  },
};
