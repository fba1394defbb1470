import type { Suite } from '../case.js';
import { clients } from './clients.js';
import { digests } from './digests.js';
import { grpcReads, grpcWrites } from './grpc.js';
import { lists } from './lists.js';
import { manyStores } from './many-stores.js';
import { objects } from './objects.js';
import { puts } from './puts.js';
import { ranges } from './ranges.js';
import { s3 } from './s3.js';
import { sftp } from './sftp.js';
import { workers } from './workers.js';

/**
 * All suites, in the order in which they run. Those that make a million files are last, and the files stay until the end: for minutes
 * after they were removed, creating others would be several times as slow.
 */
export const suites: readonly Suite[] = [
  ranges,
  objects,
  puts,
  digests,
  workers,
  grpcReads,
  grpcWrites,
  sftp,
  s3,
  clients,
  manyStores,
  lists,
];
