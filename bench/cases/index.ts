import type { Suite } from '../case.js';
import { clients } from './clients.js';
import { grpcReads, grpcWrites } from './grpc.js';
import { lists } from './lists.js';
import { manyStores } from './many-stores.js';
import { objects } from './objects.js';
import { puts } from './puts.js';
import { ranges } from './ranges.js';
import { sftp } from './sftp.js';
import { workers } from './workers.js';

/** All suites, in the order in which they run. Lists are last: after they have removed a million files, writes are slower. */
export const suites: readonly Suite[] = [
  ranges,
  objects,
  puts,
  workers,
  grpcReads,
  grpcWrites,
  sftp,
  clients,
  manyStores,
  lists,
];
