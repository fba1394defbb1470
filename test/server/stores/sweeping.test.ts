import { expect } from 'chai';
import { sweepPeriodically } from '../../../src/server/stores/sweeping.js';
import { deferred } from '../../support/deferred.js';

describe('the sweep of a store', () => {
  for (const [where, inS3, removed] of [
    ['on a disk', false, 'removed temporary files of crashed uploads'],
    ['in S3', true, 'removed parts of unfinished uploads and old versions of locks'],
  ] as const) {
    it(`${where}: the start ${inS3 ? 'does not wait' : 'waits'} for the first one, and a stop does`, async () => {
      const swept = deferred<number>();
      const happened: string[] = [];
      const log = {
        info: (_: object, text: string) => happened.push(text),
        warn: () => undefined,
        error: () => undefined,
      };
      const cleaning = { sweep: () => swept.promise, purge: async () => undefined };
      const starting = sweepPeriodically(cleaning, { log: log as never, everyMs: 60_000, inS3 }).then((stop) => {
        happened.push('started');
        return stop;
      });
      const stopping = starting.then(async (stop) => {
        await stop();
        happened.push('stopped');
      });
      if (inS3) await starting;
      swept.resolve(1);
      await stopping;
      expect(happened).to.deep.equal(inS3 ? ['started', removed, 'stopped'] : [removed, 'started', 'stopped']);
    });
  }
});
