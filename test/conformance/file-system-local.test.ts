import { FolderVersions } from '../../src/backends/local/folder-versions.js';
import { guardedFileSystem } from '../../src/backends/local/guarded-file-system.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { fileThreads } from '../../src/backends/local/thread-share.js';
import { describeFileSystem } from './file-system-suite.js';

/** By which every change was made long ago. */
const laterClock = (): number => Date.now() + 60_000;

describeFileSystem('a local folder', async (folder) =>
  Promise.resolve(guardedFileSystem(new LocalFileSystem(folder, new FolderVersions(laterClock)), fileThreads.share())),
);
