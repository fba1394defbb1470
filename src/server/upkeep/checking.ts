import type { VerificationConfig } from '../../config/types.js';
import type { DigestRecorder } from '../../core/digests.js';
import { StoreError } from '../../core/errors.js';
import { requireSameStore } from '../../integrity/config-check.js';
import type { VerifiedStore } from '../../integrity/store-copy.js';
import type { VerifiedRef, VerifyPosition, VerifyReport } from '../../integrity/verify-report.js';
import { verifyStore, type VerifyObserver } from '../../integrity/verify.js';
import { untilAborted } from '../../lib/until-aborted.js';
import { FewObjects } from './few-objects.js';
import type { Mirror } from '../stores/mirror-store.js';
import { ReadMirror } from './read-mirror.js';

/** How many objects are read at once: callers must not wait for it. */
const jobs = 2;

export interface CheckingOptions {
  /** The store without layers. */
  readonly store: VerifiedStore;
  readonly mirror: Mirror | undefined;
  readonly config: Pick<VerificationConfig, 'bytesPerSecond' | 'againstMirror'>;
  /** Records the digests of whole objects that have none; undefined: they stay without. It is closed after each use. */
  readonly newRecorder?: (() => DigestRecorder | undefined) | undefined;
}

/** What is checked. */
export interface Checked {
  /** Default: all objects. */
  readonly refs?: readonly VerifiedRef[];
  /** How far it has come; asked for again where it goes on without the mirror. */
  readonly position?: () => VerifyPosition | undefined;
  readonly on?: VerifyObserver;
  /** Told why the mirror is left out, for the operator, or that it is not: `undefined`. */
  readonly leftOut?: (problem: string | undefined) => void;
}

/** Checks the objects of a store, compared with its mirror where that is set, and as far as the mirror can be read. */
export class Checking {
  constructor(
    private readonly options: CheckingOptions,
    private readonly signal: AbortSignal,
  ) {}

  /** Resolves to what was found, and whether the mirror was read to the end. Fails where the store itself can't be read. */
  async check(what: Checked): Promise<{ readonly report: VerifyReport; readonly isCompared: boolean }> {
    const against = await this.openMirror(what);
    try {
      return { report: await this.verify(what, against), isCompared: against !== undefined };
    } catch (error) {
      if (this.signal.aborted || against?.hasFailedWith(error) !== true) throw error;
      what.leftOut?.(this.problemOf(error));
      return { report: await this.verify(what, undefined), isCompared: false };
    }
  }

  /** The mirror, if objects are compared with it; not while it can't be reached, nor if it is that of another store. */
  private async openMirror({ leftOut }: Checked): Promise<ReadMirror | undefined> {
    const { store, mirror, config } = this.options;
    if (mirror === undefined || !config.againstMirror) return undefined;
    const ctx = { signal: this.signal };
    await untilAborted(mirror.attempted, this.signal);
    const own = await store.config(ctx);
    try {
      requireSameStore(own, await mirror.store.config(ctx));
    } catch (error) {
      this.signal.throwIfAborted();
      leftOut?.(this.problemOf(error));
      return undefined;
    }
    leftOut?.(undefined);
    return new ReadMirror(mirror.store);
  }

  private async verify({ refs, position, on }: Checked, mirror: VerifiedStore | undefined): Promise<VerifyReport> {
    const { store, config, newRecorder } = this.options;
    const few = (copy: VerifiedStore): VerifiedStore => (refs === undefined ? copy : new FewObjects(copy, refs));
    // What is recorded counts as right from then on: it has to be compared first, where there is something to compare with.
    const record = this.options.mirror === undefined || mirror !== undefined ? newRecorder?.() : undefined;
    try {
      const { bytesPerSecond } = config;
      const macs = refs && [...new Set(refs.map(({ mac }) => mac))];
      const options = {
        jobs,
        bytesPerSecond,
        against: mirror && few(mirror),
        record,
        position: position?.(),
        macs,
        on,
      };
      return await verifyStore(few(store), options, { signal: this.signal });
    } finally {
      await record?.close();
    }
  }

  private problemOf(error: unknown): string {
    return this.options.mirror?.problem() ?? StoreError.from(error).message;
  }
}
