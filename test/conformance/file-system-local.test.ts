import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { describeFileSystem } from './file-system-suite.js';

describeFileSystem('a local folder', async (folder) => Promise.resolve(new LocalFileSystem(folder)));
