import type { Digest } from '../core/digests.js';
import type { OpContext } from '../core/store.js';
import type { DigestIndex } from './digest-index.js';
import type { StoreCopy } from './store-copy.js';
import { isRead, judge, proofOf, type Evidence } from './verdict.js';
import type { Damage, Proof, VerifiedRef } from './verify-report.js';

/** What the other copy has that may replace a damaged object. */
export interface Replacement extends Digest {
  /** When the damaged object had arrived, as well as that is known, in milliseconds since 1970-01-01 UTC. */
  readonly arrivedMs: number;
}

/** What was found of an object. */
export interface CheckedObject {
  readonly ref: VerifiedRef;
  /** How many bytes it has; 0 if it can't be read. */
  readonly bytes: number;
  readonly damage: Damage | undefined;
  /** Undefined where nothing is damaged here, or the other copy is damaged as well. */
  readonly replacement: Replacement | undefined;
  /** That of the other copy. */
  readonly otherDamage: Damage | undefined;
  /** What is known of an object that is whole, and its digest if that is to be recorded. */
  readonly proof: Proof;
  readonly unrecorded: Digest | undefined;
}

interface Look {
  readonly missing: string | undefined;
  readonly isThorough: boolean;
}

/** Checks objects in one copy of a store, and in the other one where there is one. */
export class ObjectCheck {
  constructor(
    private readonly here: StoreCopy,
    private readonly there: StoreCopy | undefined,
  ) {}

  /**
   * Checks an object. Resolves to undefined if it isn't there.
   *
   * @param missing why it is a damage that it isn't there: completes "the object …". Default: it is none
   */
  async check(ref: VerifiedRef, ctx: OpContext, missing?: string): Promise<CheckedObject | undefined> {
    const judgedBy = [this.here.digests, this.there?.digests] as const;
    let evidence = await this.evidence(ref, ctx, { missing, isThorough: false });
    if (evidence !== undefined && (await this.isWorthAnotherLook(evidence, judgedBy, ctx)))
      evidence = await this.evidence(ref, ctx, { missing, isThorough: true });
    if (evidence === undefined) return undefined;
    const { here, there } = evidence;
    const { fault, otherFault } = judge(evidence);
    const canReplace = fault !== undefined && isRead(there) && fault.otherCopy !== 'bad';
    const replacement = canReplace && {
      size: there.size,
      sha256: there.sha256,
      arrivedMs: await this.arrivalOf(ref, ctx),
    };
    return {
      ref,
      bytes: isRead(here) ? here.size : 0,
      damage: fault && { ref, ...fault },
      replacement: replacement || undefined,
      otherDamage: otherFault && { ref, ...otherFault },
      proof: proofOf(evidence),
      unrecorded: fault === undefined ? unrecorded(evidence) : undefined,
    };
  }

  /**
   * Reads both copies; undefined if the object isn't there.
   *
   * @param look.isThorough whether MACs of the other copy are checked if digests were seen here only: that proves more, and takes ten times as long
   */
  private async evidence(ref: VerifiedRef, ctx: OpContext, look: Look): Promise<Evidence | undefined> {
    const { missing, isThorough } = look;
    const [seenHere, seenThere] = [this.here.recordOf(ref), this.there?.recordOf(ref)];
    const put = [seenHere, seenThere].find((each) => each?.isSeen === false);
    const [recorded, otherRecorded] = [put ?? seenHere, put ?? seenThere];
    const here = missing === undefined ? await this.here.read(ref, recorded, ctx) : undefined;
    if (here === undefined && missing === undefined) return undefined;
    const known = isThorough ? otherRecorded : (otherRecorded ?? recorded);
    const there = await this.there?.read(ref, known, ctx, isRead(here) ? here.size : undefined);
    return { here, there, recorded, otherRecorded, isCompared: this.there !== undefined, missing };
  }

  /**
   * Whether another look may clear up what speaks against an object: clients may have put another one under its name, and recorded that, or the
   * other copy's MAC was not checked.
   */
  private async isWorthAnotherLook(
    evidence: Evidence,
    [digests, otherDigests]: readonly [DigestIndex | undefined, DigestIndex | undefined],
    ctx: OpContext,
  ): Promise<boolean> {
    const { recorded, otherRecorded } = evidence;
    const { fault, otherFault } = judge(evidence);
    if ((fault ?? otherFault) === undefined || (recorded ?? otherRecorded) === undefined) return false;
    const isNewer = await this.here.hasNewerDigests(digests, ctx);
    const isOtherNewer = await this.there?.hasNewerDigests(otherDigests, ctx);
    return isNewer || isOtherNewer === true || (otherRecorded === undefined && this.there?.checksMacs === true);
  }

  private async arrivalOf(ref: VerifiedRef, ctx: OpContext): Promise<number> {
    const found = await this.here.store.stat(ref, ctx).catch(() => undefined);
    const arrivedMs = found?.modifiedMs ?? this.here.recordOf(ref)?.recordedMs;
    return arrivedMs ?? (await this.there?.store.stat(ref, ctx))?.modifiedMs ?? Date.now();
  }
}

/** The digest of a whole object that has none. Where nothing else speaks for it, and there is another copy, that has to be equal. */
function unrecorded({ here, there, recorded, isCompared }: Evidence): Digest | undefined {
  if (!isRead(here) || recorded !== undefined) return undefined;
  const isEqual = isRead(there) && there.sha256.equals(here.sha256);
  return here.hasValidMac || isEqual || !isCompared ? here : undefined;
}
