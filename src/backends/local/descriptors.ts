import * as fs from 'node:fs';
import { promisify } from 'node:util';

/* Node's calls on the numbers of open files, as promises: a FileHandle can't be used on the event loop as well. */

export const open = promisify(fs.open);
export const close = promisify(fs.close);
export const fchmod = promisify(fs.fchmod);
export const fdatasync = promisify(fs.fdatasync);
export const fstat = promisify(fs.fstat);
export const fsync = promisify(fs.fsync);
export const writev = promisify(fs.writev);
