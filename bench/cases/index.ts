import type { Suite } from '../case.js';
import { clients } from './clients.js';
import { grpcReads, grpcWrites } from './grpc.js';
import { lists } from './lists.js';
import { objects } from './objects.js';
import { puts } from './puts.js';
import { ranges } from './ranges.js';
import { sftp } from './sftp.js';

/** All of them, in the order in which they run. Lists leave a million removed files behind, which slow down whoever writes next. */
export const suites: readonly Suite[] = [ranges, objects, puts, grpcReads, grpcWrites, sftp, clients, lists];
