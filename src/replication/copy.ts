import { hasRight } from '../core/access.js';
import { canceled, StoreError } from '../core/errors.js';
import { retried, type Bounds } from '../core/retry.js';
import type { OpContext, Store } from '../core/store.js';
import { forEachAhead } from '../lib/for-each-ahead.js';
import { RateLimiter } from '../lib/rate-limiter.js';
import { Comparison } from './compare.js';
import { patience, type Pair } from './failures.js';
import { copiedKinds, Tally, total, type CopiedRef, type CopyReport, type Difference, type Sum } from './report.js';
import { survey, type Survey, type Surveys } from './survey.js';
import { Transfers } from './transfer.js';

export type { CopyReport, Difference, Sum } from './report.js';

export interface CopyOptions {
  /** How many objects are read at once. Default: 4. */
  readonly jobs?: number;
  /** What all transfers together read at most. Default: no limit. */
  readonly bytesPerSecond?: number | undefined;
  /** Whether what was copied is read back and compared. Default: false. */
  readonly verify?: boolean;
  /** Whether nothing is copied. Default: false. */
  readonly dryRun?: boolean;
  /**
   * Whether what both stores have is compared by its size and header, as far as the destination can be read. Default: false, and only names
   * are.
   */
  readonly compareAll?: boolean;
  /** The longest first pause before something that failed is tried again, in milliseconds. Default: 500. */
  readonly pauseMs?: number;
  readonly on?: CopyListener;
}

/** Is told of a copy as it goes on. Its methods never fail and never wait. */
export interface CopyListener {
  /** The objects of the whole run: what was copied in it, and what is still missing. Told again where the source has changed meanwhile. */
  planned?(all: Sum): void;
  /** So many more bytes are under way or copied; fewer, if negative, since a transfer failed. */
  progressed?(bytes: number): void;
  copied?(ref: CopiedRef, bytes: number): void;
  differs?(difference: Difference): void;
  /** One more of the objects that both stores have was compared. */
  compared?(): void;
}

const defaultJobs = 4;

/** How many objects are under way for each that is being read: the others are being made durable. */
const underWay = 3;

/** How often a copy begins again since objects were deleted from the source. */
const maxRounds = 5;

/**
 * Copies to a store what another one has and it doesn't: packfiles, and then the states that need them, so that the destination is a good store
 * at every moment: with all that its snapshots need, but for packfiles that couldn't be copied, which are reported, and for snapshots that the
 * source has removed and cleaned away, which may show until their removal is copied as well. Nothing is replaced or deleted: what differs is reported. Locks are not copied. Where it was cut off, the next run
 * goes on.
 *
 * A single object that can't be copied is reported, and the others are copied. Fails with a StoreError, once no transfer is running: with
 * `invalid_argument` if the two have different CONFIGs, with `permission_denied` if the destination can't be written.
 */
export async function copyStore(
  source: Store,
  destination: Store,
  options: CopyOptions,
  ctx: OpContext,
): Promise<CopyReport> {
  const pair = { source, destination };
  try {
    await requireSameStore(pair, patience(ctx, options.pauseMs), ctx);
    if (options.dryRun !== true && !hasRight(destination.info().access, 'append'))
      throw new StoreError('permission_denied', 'the destination may not be written: a copy needs append there');
    return await new Copy(pair, options, ctx).run();
  } catch (error) {
    throw StoreError.from(error);
  }
}

async function requireSameStore({ source, destination }: Pair, bounds: Bounds, ctx: OpContext): Promise<void> {
  const here = await retried(bounds, () => source.config(ctx));
  const there = await retried(bounds, () => destination.config(ctx));
  if (!Buffer.from(here).equals(there))
    throw new StoreError('invalid_argument', 'the two are not copies of one store: their CONFIGs differ');
}

class Copy {
  private readonly copied = new Tally();
  /** By kind and name: an object is tried again in no later round. */
  private readonly differing = new Map<string, Difference>();
  private readonly bounds: Bounds;
  private readonly transfers: Transfers;

  constructor(
    private readonly pair: Pair,
    private readonly options: CopyOptions,
    private readonly ctx: OpContext,
  ) {
    const { jobs = defaultJobs, bytesPerSecond, verify = false, on } = options;
    const limiter = bytesPerSecond === undefined ? undefined : new RateLimiter(bytesPerSecond);
    const progressed = (bytes: number): void => on?.progressed?.(bytes);
    this.bounds = patience(ctx, options.pauseMs);
    this.transfers = new Transfers(pair, { jobs, limiter, verify, progressed, bounds: this.bounds }, ctx);
  }

  async run(): Promise<CopyReport> {
    const { options, ctx } = this;
    for (let round = 1; round <= maxRounds; round++) {
      const found = await retried(this.bounds, () => survey(this.pair, ctx));
      const missing = missingIn(found);
      const all = total(missing);
      const done = total(this.copied);
      options.on?.planned?.({ objects: all.objects + done.objects, bytes: all.bytes + done.bytes });
      if (options.dryRun !== true && !(await this.copyAll(found, missing))) continue;
      if (options.compareAll === true) await this.compareAll(found);
      const differing = [...this.differing.values()];
      return { copied: this.copied, present: presentIn(found), missing, differing };
    }
    throw new StoreError(
      'unavailable',
      `objects were deleted from the source during each of ${maxRounds} attempts: try again when its maintenance is over`,
    );
  }

  /**
   * Copies what a survey found missing. Resolves to false if objects were deleted from the source meanwhile: where these are packfiles, no state is
   * copied, as it may have needed them.
   *
   * @param missing loses what the destination has then
   */
  private async copyAll(found: Surveys, missing: Tally): Promise<boolean> {
    let isWhole = !found.hasShrunk;
    const concurrency = (this.options.jobs ?? defaultJobs) * underWay;
    await forEachAhead(found.packfile.missing, concurrency, async (mac) => {
      isWhole = (await this.copyOne({ kind: 'packfile', mac }, missing)) && isWhole;
    });
    if (!isWhole) return false;
    // One after the other: a backup's state refers to what is in earlier ones.
    for (const mac of found.state.missing) if (!(await this.copyOne({ kind: 'state', mac }, missing))) return false;
    return true;
  }

  /** Resolves to false if the source doesn't have it any more. */
  private async copyOne(ref: CopiedRef, missing: Tally): Promise<boolean> {
    const { signal } = this.ctx;
    if (signal.aborted) throw canceled(signal.reason);
    if (this.differing.has(keyOf(ref))) return true;
    const result = await this.transfers.copy(ref);
    if (result.outcome === 'vanished') return false;
    if (result.outcome === 'differs') {
      const { difference, bytes } = result;
      // The destination has it, if not as it should be.
      if (difference.what === 'bytes') missing.add(ref.kind, -bytes, -1);
      this.report(difference);
      return true;
    }
    missing.add(ref.kind, -result.bytes, -1);
    this.copied.add(ref.kind, result.bytes);
    this.options.on?.copied?.(ref, result.bytes);
    return true;
  }

  private async compareAll(found: Surveys): Promise<void> {
    const isReadable = hasRight(this.pair.destination.info().access, 'read-packfiles');
    const comparison = new Comparison(this.pair, this.bounds, this.ctx);
    for (const kind of copiedKinds) {
      if (kind === 'packfile' && !isReadable) continue;
      await comparison.run(kind, found[kind].present, (difference) => {
        this.options.on?.compared?.();
        if (difference !== undefined) this.report(difference);
      });
    }
  }

  private report(difference: Difference): void {
    this.differing.set(keyOf(difference.ref), difference);
    this.options.on?.differs?.(difference);
  }
}

function missingIn(found: Surveys): Tally {
  const sums = new Tally();
  for (const kind of copiedKinds) sums.add(kind, found[kind].missingBytes, found[kind].missing.length);
  return sums;
}

function presentIn(found: Surveys): CopyReport['present'] {
  const count = ({ present }: Survey): number => present.reduce((sum, { length }) => sum + length, 0);
  return { packfile: count(found.packfile), state: count(found.state) };
}

function keyOf({ kind, mac }: CopiedRef): string {
  return `${kind} ${mac}`;
}
