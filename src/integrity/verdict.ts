import type { Digest } from '../core/digests.js';
import type { Reading } from './object-probe.js';
import type { Unreadable } from './object-reader.js';
import type { OtherCopy, Problem, Proof } from './verify-report.js';

/** What reading an object in one copy gave; undefined: the copy doesn't have it. */
export type Found = Reading | Unreadable | undefined;

/** What was recorded of an object. */
export interface Recorded {
  /** The size that was recorded last. */
  readonly size: number;
  /** Whether the digests are of what one copy had when it was read, so that they prove nothing about the other one. */
  readonly isSeen: boolean;
  /** Whether a digest was recorded for it, at any time. */
  readonly matches: (digest: Digest) => boolean;
}

/** What is wrong with one copy of an object. */
export interface Fault {
  readonly problem: Problem;
  /** Completes "the object …". */
  readonly text: string;
  /** What the other copy has; undefined: there is none to compare with. */
  readonly otherCopy: OtherCopy | undefined;
}

/** What was found in both copies of an object. */
export interface Evidence {
  readonly here: Found;
  readonly there: Found;
  /** What was recorded when it was put, which is true of both copies, or else what was seen here. */
  readonly recorded: Recorded | undefined;
  /** The same of the other copy. */
  readonly otherRecorded: Recorded | undefined;
  /** Whether there is another copy of the store. */
  readonly isCompared: boolean;
  /** Why it is a fault that it isn't here: completes "the object …". Default: it is none. */
  readonly missing?: string | undefined;
}

export interface Verdict {
  readonly fault: Fault | undefined;
  /** That of the other copy. */
  readonly otherFault: Fault | undefined;
}

type OwnFault = Pick<Fault, 'problem' | 'text'>;

/** Decides which copies of an object are damaged. */
export function judge(evidence: Evidence): Verdict {
  const { here, there, recorded, otherRecorded, isCompared, missing } = evidence;
  const fault: OwnFault | undefined =
    missing === undefined ? ownFault(here, recorded) : { problem: 'missing', text: missing };
  const otherFault = ownFault(there, otherRecorded);
  if (fault === undefined && otherFault === undefined) return comparison(here, there);
  return {
    fault: fault && { ...fault, otherCopy: isCompared ? otherCopyOf(here, there, recorded, otherRecorded) : undefined },
    otherFault: otherFault && { ...otherFault, otherCopy: otherCopyOf(there, here, otherRecorded, recorded) },
  };
}

/** What is known of an object that has no fault. */
export function proofOf({ here, there, recorded }: Evidence): Proof {
  if (recorded !== undefined) return 'digest';
  if (isRead(here) && here.hasValidMac) return 'mac';
  return isRead(here) && isRead(there) && there.sha256.equals(here.sha256) ? 'other copy' : 'header';
}

/** Whether an object was read whole. */
export function isRead(found: Found): found is Reading {
  return found !== undefined && 'sha256' in found;
}

/** What is wrong with a copy of an object as far as it alone tells. */
function ownFault(found: Found, recorded: Recorded | undefined): OwnFault | undefined {
  if (found === undefined) return undefined;
  if (!isRead(found)) return { problem: 'unreadable', text: `can't be read: ${found.reason}` };
  const { size, fault } = found;
  if (recorded === undefined || recorded.matches(found)) return fault;
  if (size !== recorded.size) return { problem: 'size', text: `has ${size} bytes instead of ${recorded.size}` };
  if (fault?.problem === 'header') return fault;
  const when = recorded.isSeen ? 'its digest was recorded' : 'it was put';
  return { problem: 'digest', text: `has other bytes than when ${when}: the recorded SHA-256 is that of others` };
}

/** Compares two copies that have no fault of their own. */
function comparison(here: Found, there: Found): Verdict {
  if (!isRead(here) || !isRead(there) || there.sha256.equals(here.sha256))
    return { fault: undefined, otherFault: undefined };
  // Also where one goes on after the other's end: what comes after it may be what a crash left there.
  const sizes = here.size === there.size ? '' : `: it has ${here.size} bytes, and the other one ${there.size}`;
  const text = `differs from the other copy, and nothing tells which of the two is right${sizes}`;
  return { fault: { problem: 'differs', text, otherCopy: 'unsure' }, otherFault: undefined };
}

/** What the other copy has in place of an object that is damaged in any case. */
function otherCopyOf(
  damaged: Found,
  other: Found,
  recorded: Recorded | undefined,
  otherRecorded: Recorded | undefined,
): OtherCopy {
  if (other === undefined) return 'missing';
  if (!isRead(other) || ownFault(other, otherRecorded) !== undefined) return 'bad';
  const sizeHere = isRead(damaged) ? damaged.size : undefined;
  const goesOn = isRead(damaged) && other.startSha256?.equals(damaged.sha256) === true;
  // A MAC alone is also that of another object, which may have got this name there.
  const hasMac = other.hasValidMac && (other.size === sizeHere || goesOn);
  if (recorded?.isSeen === false || other.hasValidName || hasMac) return 'proven';
  // It has what was seen here before, or never had that.
  if (recorded !== undefined) return recorded.matches(other) ? 'likely' : 'unsure';
  return sizeHere === undefined || sizeHere <= other.size ? 'likely' : 'unsure';
}
