import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { Sums } from '../replication/report.js';
import type { SegmentProblem } from './digest-log.js';

/** The kinds that are verified, in this order. Locks change, and last for minutes. */
export const verifiedKinds = ['packfile', 'state'] as const satisfies readonly ObjectKind[];

export type VerifiedKind = (typeof verifiedKinds)[number];

/** Names a packfile or state. */
export interface VerifiedRef extends ObjectRef {
  readonly kind: VerifiedKind;
}

/**
 * What is wrong with an object:
 *
 * - `missing`: it was recorded and isn't there, and no client deleted it; or it was asked for by its name, and only the other copy has it.
 * - `unreadable`: its store can't read it.
 * - `size`: it has another size than was recorded, or it is shorter than any object.
 * - `header`: it doesn't start as an object of its kind.
 * - `digest`: it has other bytes than were recorded.
 * - `mac`: in a store without encryption, the MAC at its end isn't that of its bytes.
 * - `name`: it is another object.
 * - `differs`: it differs from the other copy, and nothing tells which of the two is right.
 */
export type Problem = 'missing' | 'unreadable' | 'size' | 'header' | 'digest' | 'mac' | 'name' | 'differs';

/**
 * What the other copy has in place of a damaged object:
 *
 * - `proven`: its bytes are right, by the digest of when they were put, or by their MAC.
 * - `likely`: nothing proves its bytes, nothing is wrong with them, and the damaged object can't be right, or had those bytes before.
 * - `unsure`: it may be the one that is damaged.
 * - `bad`: it is damaged as well.
 * - `missing`: nothing.
 */
export type OtherCopy = 'proven' | 'likely' | 'unsure' | 'bad' | 'missing';

/** A damaged object. */
export interface Damage {
  readonly ref: VerifiedRef;
  readonly problem: Problem;
  /** The same for people: completes "the object …", as in `has 52 bytes instead of 1048576`. */
  readonly text: string;
  /** Undefined: there is no other copy to compare with. */
  readonly otherCopy?: OtherCopy | undefined;
}

export interface VerifyReport {
  /** What was read. */
  readonly checked: Sums;
  /** By how much is known of them: how many of the objects that are whole match a digest, a MAC, or the other copy alone; of the rest, only the start was checked. */
  readonly proofs: Readonly<Record<Proof, number>>;
  /** How many were deleted before they were read. */
  readonly deleted: number;
  readonly damaged: readonly Damage[];
  /** In the other copy. */
  readonly otherDamaged: readonly Damage[];
  /** How many objects only one of the two copies has, other than those that are damaged or missing. */
  readonly onlyHere: Readonly<Record<VerifiedKind, number>>;
  readonly onlyThere: Readonly<Record<VerifiedKind, number>>;
  /** The first ones of those that only the other copy has. */
  readonly namedOnlyThere: readonly VerifiedRef[];
  /** How many digests were recorded. */
  readonly recorded: number;
  /** What is wrong with CONFIG: completes "its CONFIG …". Only a person can replace it. Undefined: nothing. */
  readonly config?: string | undefined;
  /** What was found to be wrong with the recorded digests. */
  readonly segments: readonly SegmentProblem[];
}

/** What a whole object is known by. */
export type Proof = 'digest' | 'mac' | 'other copy' | 'header';

/** How far a run has come: plain data, to be written as JSON. */
export interface VerifyPosition {
  /** The last object that was checked; all before it, in the order of kinds and MACs, were checked as well. */
  readonly last: VerifiedRef;
  /** What was found until then. */
  readonly report: VerifyReport;
}

/** Whether everything was found whole. */
export function isWhole({ damaged, otherDamaged, segments, config }: VerifyReport): boolean {
  return damaged.length + otherDamaged.length + segments.length === 0 && config === undefined;
}
