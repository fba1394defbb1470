import * as fs from 'node:fs';
import { promisify } from 'node:util';

/* Node's calls on file descriptors as promises: a FileHandle has no synchronous calls beside the asynchronous ones. */

export const open = promisify(fs.open);
export const close = promisify(fs.close);
export const fchmod = promisify(fs.fchmod);
export const fdatasync = promisify(fs.fdatasync);
export const fstat = promisify(fs.fstat);
export const fsync = promisify(fs.fsync);
export const writev = promisify(fs.writev);
