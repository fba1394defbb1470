import type { Bench } from '../bench.js';
import { suite, type Case } from '../case.js';
import { putCases } from './contestants.js';

const variants = [
  { name: 'digests', args: ['--digests', 'sha256'] },
  { name: 'no digests', args: [] },
];

/** Uploads with and without their digests being recorded, synced. */
export const digests = suite(
  [{ name: 'put-digests-1m-8' }],
  async function* (bench: Bench, wanted): AsyncGenerator<Case> {
    if (wanted.length > 0) yield* putCases(bench, wanted, { tls: false, variants });
  },
);
