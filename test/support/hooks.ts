import { removeTempFolders } from './temp.js';

/** Run around all tests, whatever their file. */
export const mochaHooks = {
  afterAll: removeTempFolders,
};
