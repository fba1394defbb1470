import type { SuiteOptions } from './target.js';

/* What is visible of a store in a folder of this machine through the protocols of a gateway. */

export const overHttp: SuiteOptions = { onDisk: true, hides: ['info', 'created', 'objectSize', 'progress'] };

export const overHttpV10: SuiteOptions = {
  onDisk: true,
  hides: ['info', 'created', 'objectSize', 'progress', 'incompleteUploads'],
};

export const overGrpc: SuiteOptions = {
  onDisk: true,
  hides: ['info', 'progress'],
  seenAs: (code) => (code === 'too_large' ? 'invalid_argument' : code),
};

export const overReadRanges: SuiteOptions = { ...overGrpc, hides: ['info', 'objectSize', 'progress'] };

export const overPlakarGrpc: SuiteOptions = { onDisk: true, hides: ['info', 'created', 'objectSize', 'progress'] };
