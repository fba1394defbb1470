import { Tally, total } from '../replication/report.js';
import type { SegmentProblem } from './digest-log.js';
import type { CheckedObject } from './object-check.js';
import { verifiedKinds, type Damage, type Proof, type VerifyReport } from './verify-report.js';

/** What a run has found, and an earlier one that it goes on with. */
export class Findings {
  private readonly checked = new Tally();
  private readonly proofs: Record<Proof, number> = { digest: 0, mac: 0, 'other copy': 0, header: 0 };
  private readonly damaged: Damage[] = [];
  private readonly otherDamaged: Damage[] = [];
  private deleted = 0;
  private recorded = 0;

  constructor(earlier?: VerifyReport) {
    if (earlier === undefined) return;
    for (const kind of verifiedKinds)
      this.checked.add(kind, earlier.checked[kind].bytes, earlier.checked[kind].objects);
    this.proofs = { ...earlier.proofs };
    this.damaged.push(...earlier.damaged);
    this.otherDamaged.push(...earlier.otherDamaged);
    this.deleted = earlier.deleted;
    this.recorded = earlier.recorded;
  }

  /** How many objects were looked at. */
  get count(): number {
    return total(this.checked).objects + this.deleted;
  }

  addDeleted(): void {
    this.deleted++;
  }

  addRecorded(count: number): void {
    this.recorded += count;
  }

  add({ ref, bytes, damage, otherDamage, proof }: CheckedObject): void {
    if (damage?.problem !== 'missing') this.checked.add(ref.kind, bytes);
    if (damage === undefined) this.proofs[proof]++;
    else this.damaged.push(damage);
    if (otherDamage !== undefined) this.otherDamaged.push(otherDamage);
  }

  report(unmatched: Unmatched = none, segments: readonly SegmentProblem[] = []): VerifyReport {
    const { packfile, state } = this.checked;
    return {
      checked: { packfile: { ...packfile }, state: { ...state } },
      proofs: { ...this.proofs },
      deleted: this.deleted,
      damaged: [...this.damaged],
      otherDamaged: [...this.otherDamaged],
      ...unmatched,
      recorded: this.recorded,
      segments,
    };
  }
}

/** The objects that only one of two copies has. */
export type Unmatched = Pick<VerifyReport, 'onlyHere' | 'onlyThere' | 'namedOnlyThere'>;

const none: Unmatched = {
  onlyHere: { packfile: 0, state: 0 },
  onlyThere: { packfile: 0, state: 0 },
  namedOnlyThere: [],
};
