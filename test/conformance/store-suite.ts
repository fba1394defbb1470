import { expect } from 'chai';
import { temporaries, untilAllClosed } from '../wire/support/folders.js';
import { describeConcurrency } from './clauses/concurrency.js';
import { describeDelete } from './clauses/delete.js';
import { describeFullDisk } from './clauses/full-disk.js';
import { describeGet } from './clauses/get.js';
import { describeInfoAndConfig } from './clauses/info-and-config.js';
import { describeList } from './clauses/list.js';
import { describePut } from './clauses/put.js';
import { describeRefusedPuts } from './clauses/refused-puts.js';
import { describeSignal } from './clauses/signal.js';
import { describeStat } from './clauses/stat.js';
import type { Subject, SuiteOptions, Target } from './target.js';

export { maxObjectBytes, type SuiteOptions, type Target } from './target.js';

/**
 * Every clause of the Store contract (src/core/store.ts), on one kind of store. A new backend, layer or protocol joins with a
 * function that opens an empty store.
 *
 * That a put is on disk before it is acknowledged is not visible here: see test/backends/files/syncs.test.ts for the order of syncs
 * and test/wire/durability.test.ts for the system calls.
 */
export function describeStore(name: string, open: () => Promise<Target>, options: SuiteOptions): void {
  const { onDisk, seenAs = (code) => code, hides = [] } = options;

  describe(`${name} keeps the Store contract`, () => {
    let target: Target | undefined;
    const opened = (): Target => {
      if (target === undefined) throw new Error('no target is open');
      return target;
    };
    const subject: Subject = {
      get target() {
        return opened();
      },
      get store() {
        return opened().store;
      },
      onDisk,
      seenAs,
      hides: (what) => hides.includes(what),
    };

    beforeEach(async () => {
      target = await open();
    });

    afterEach(async () => {
      // It may have failed to open.
      if (target === undefined) return;
      const { folder } = target;
      if (folder !== undefined) expect(await temporaries(folder), 'temporary files').to.deep.equal([]);
      await target.close();
      target = undefined;
      if (folder !== undefined) await untilAllClosed(folder);
    });

    describeInfoAndConfig(subject);
    describeList(subject);
    describeStat(subject);
    describeGet(subject);
    describePut(subject);
    describeRefusedPuts(subject);
    describeDelete(subject);
    describeConcurrency(subject);
    describeSignal(subject);
    describeFullDisk(subject);
  });
}
