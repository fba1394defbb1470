import type { Digest, DigestRecorder } from '../core/digests.js';
import type { OpContext } from '../core/store.js';
import { mapAhead } from '../lib/map-ahead.js';
import { RateLimiter } from '../lib/rate-limiter.js';
import { configProblem, requireSameStore } from './config-check.js';
import { Findings, type Unmatched } from './findings.js';
import { lostObjects } from './lost-objects.js';
import { ObjectCheck, type CheckedObject, type Replacement } from './object-check.js';
import { StoreCopy, type VerifiedStore } from './store-copy.js';
import type { Damage, VerifiedRef, VerifyPosition, VerifyReport } from './verify-report.js';

export interface VerifyOptions {
  /** How many objects are read at once. */
  readonly jobs: number;
  /** How fast, all of them together, in both copies. Default: no limit. */
  readonly bytesPerSecond?: number | undefined;
  /** Another copy of the store, whose objects are read as well. */
  readonly against?: VerifiedStore | undefined;
  /** The share of the objects that are read, chosen at random: from 0 to 1. Default: 1. */
  readonly sample?: number | undefined;
  /** Records the digests of objects that have none, and that nothing speaks against, as seen. Default: they stay without. */
  readonly record?: DigestRecorder | undefined;
  /** Starts of MACs, in lower case: only these objects are checked. Default: all. */
  readonly macs?: readonly string[] | undefined;
  /** Whether those that only the other copy has are missing here; with `macs` only. Default: a client may have deleted them. */
  readonly takesOnlyThere?: boolean | undefined;
  /** How far an earlier run had come: this one goes on from there, and its report has what both found. */
  readonly position?: VerifyPosition | undefined;
  readonly on?: VerifyObserver | undefined;
}

/** Is told how a run proceeds. */
export interface VerifyObserver {
  /** How many objects will be read, all together. */
  planned?(objects: number): void;
  checked?(ref: VerifiedRef, bytes: number): void;
  /**
   * An object is damaged. The run waits for what is done about it.
   *
   * @param replacement what the other copy has in its place, unless that is damaged, too
   */
  damaged?(damage: Damage, replacement: Replacement | undefined): void | Promise<void>;
  /** An object of the other copy is damaged. */
  otherDamaged?(damage: Damage): void;
  /** What is wrong beside the objects, before the first one is read: see the report. */
  opened?(problems: Pick<VerifyReport, 'config' | 'segments'>): void;
  /** How far it has come: every few seconds, and when it fails. */
  position?(position: VerifyPosition): void;
}

/** How often the position is told, in milliseconds. */
const positionEveryMs = 5000;

/** How many digests are recorded at once. */
const maxUnrecorded = 1000;

const lostText = 'is missing: its digest was recorded, and no client deleted it';
const onlyThereText = 'is missing here, and is in the other copy';

/** Up to how many objects are named that only the other copy has. */
const maxOnlyThere = 100;

/**
 * Reads the packfiles and states of a store, in the order of their MACs, and finds those that are damaged. What arrives or is deleted meanwhile
 * is no damage. Keeps some 200 bytes of each object in memory. Fails with a StoreError where a store can't be reached or read at all.
 */
export async function verifyStore(store: VerifiedStore, options: VerifyOptions, ctx: OpContext): Promise<VerifyReport> {
  const { against, bytesPerSecond } = options;
  const config = await store.config(ctx);
  const otherConfig = await against?.config(ctx);
  if (otherConfig !== undefined) requireSameStore(config, otherConfig);
  const limiter = bytesPerSecond === undefined ? undefined : new RateLimiter(bytesPerSecond);
  // The other copy first: what arrives meanwhile isn't taken for something that only it has.
  const there = against && (await StoreCopy.open(against, limiter, ctx));
  const here = await StoreCopy.open(store, limiter, ctx);
  const problem = configProblem(config, otherConfig);
  options.on?.opened?.({ config: problem, segments: here.digests?.problems ?? [] });
  const report = await new Verification(here, there, options, ctx).run();
  return { ...report, config: problem };
}

class Verification {
  private readonly findings: Findings;
  private readonly check: ObjectCheck;
  private unrecorded: (readonly [VerifiedRef, Digest])[] = [];
  private last: VerifiedRef | undefined;
  private nextPositionMs = performance.now() + positionEveryMs;

  constructor(
    private readonly here: StoreCopy,
    private readonly there: StoreCopy | undefined,
    private readonly options: VerifyOptions,
    private readonly ctx: OpContext,
  ) {
    this.findings = new Findings(options.position?.report);
    this.last = options.position?.last;
    this.check = new ObjectCheck(here, there);
  }

  async run(): Promise<VerifyReport> {
    const { options, ctx } = this;
    if (options.on?.planned !== undefined) options.on.planned(this.findings.count + this.planned());
    try {
      await this.checkListed();
    } catch (error) {
      await this.settle().catch(() => undefined);
      throw error;
    }
    await this.settle();
    const lost = await lostObjects(this.here, (ref) => this.isNamed(ref), ctx);
    await this.checkMissing(lost, lostText);
    const lostMacs = new Set(lost.map(({ mac }) => mac));
    const isNamed = options.macs !== undefined;
    if (isNamed && options.takesOnlyThere === true) await this.checkMissing(this.onlyThere(lostMacs), onlyThereText);
    return this.findings.report(isNamed ? undefined : this.unmatched(lostMacs), this.here.digests?.problems);
  }

  /** Checks what was listed and chosen, and wasn't checked by an earlier run. */
  private async checkListed(): Promise<void> {
    const { here, ctx, last, options } = this;
    const checkOne = async (ref: VerifiedRef) => [ref, await this.check.check(ref, ctx)] as const;
    const refs = this.chosen(here.refs(last), this.planned());
    for await (const [ref, checked] of mapAhead(refs, options.jobs, checkOne)) {
      if (checked === undefined) this.findings.addDeleted();
      else await this.add(checked);
      this.last = ref;
      options.on?.checked?.(ref, checked?.bytes ?? 0);
      if (this.unrecorded.length >= maxUnrecorded || performance.now() >= this.nextPositionMs) await this.settle();
      ctx.signal.throwIfAborted();
    }
  }

  private async checkMissing(refs: Iterable<VerifiedRef>, text: string): Promise<void> {
    const checkOne = (ref: VerifiedRef) => this.check.check(ref, this.ctx, text);
    for await (const checked of mapAhead(refs, this.options.jobs, checkOne)) {
      if (checked !== undefined) await this.add(checked);
    }
  }

  private async add(checked: CheckedObject): Promise<void> {
    const { ref, damage, otherDamage, replacement, unrecorded } = checked;
    this.findings.add(checked);
    if (unrecorded !== undefined && this.options.record !== undefined) this.unrecorded.push([ref, unrecorded]);
    if (otherDamage !== undefined) this.options.on?.otherDamaged?.(otherDamage);
    if (damage !== undefined) await this.options.on?.damaged?.(damage, replacement);
  }

  /** Records the digests that are to be recorded, and tells the position. */
  private async settle(): Promise<void> {
    const { record, on } = this.options;
    const unrecorded = this.unrecorded.splice(0);
    await Promise.all(unrecorded.map(([ref, digest]) => record?.record(ref, digest, { seen: true })));
    this.findings.addRecorded(unrecorded.length);
    if (this.last !== undefined) on?.position?.({ last: this.last, report: this.findings.report() });
    this.nextPositionMs = performance.now() + positionEveryMs;
  }

  /** How many objects are to be read yet: at least one of a sample. */
  private planned(): number {
    const count = this.listedCount();
    return Math.min(count, Math.max(1, Math.round(count * (this.options.sample ?? 1))));
  }

  private listedCount(): number {
    let count = 0;
    for (const ref of this.here.refs(this.last)) if (this.isNamed(ref)) count++;
    return count;
  }

  /** Chooses so many of them at random, each as likely as any other. */
  private *chosen(refs: Iterable<VerifiedRef>, count: number): Generator<VerifiedRef, void, undefined> {
    let left = this.listedCount();
    let wanted = count;
    for (const ref of refs) {
      if (!this.isNamed(ref)) continue;
      if (Math.random() * left-- >= wanted) continue;
      wanted--;
      yield ref;
    }
  }

  private isNamed({ mac }: VerifiedRef): boolean {
    return this.options.macs?.some((start) => mac.startsWith(start)) ?? true;
  }

  private *onlyThere(lost: ReadonlySet<string>): Generator<VerifiedRef, void, undefined> {
    if (this.there === undefined) return;
    for (const ref of this.there.refs()) if (!this.here.has(ref) && !lost.has(ref.mac) && this.isNamed(ref)) yield ref;
  }

  private unmatched(lost: ReadonlySet<string>): Unmatched {
    const { here, there } = this;
    const onlyHere = { packfile: 0, state: 0 };
    const onlyThere = { packfile: 0, state: 0 };
    const namedOnlyThere: VerifiedRef[] = [];
    if (there === undefined) return { onlyHere, onlyThere, namedOnlyThere };
    for (const ref of here.refs()) if (!there.has(ref)) onlyHere[ref.kind]++;
    for (const ref of this.onlyThere(lost)) {
      onlyThere[ref.kind]++;
      if (namedOnlyThere.length < maxOnlyThere) namedOnlyThere.push(ref);
    }
    return { onlyHere, onlyThere, namedOnlyThere };
  }
}
