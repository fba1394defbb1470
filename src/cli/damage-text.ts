import type { Damage, OtherCopy, VerifyReport } from '../integrity/verify-report.js';
import { columns } from './columns.js';
import { sumsText } from './object-text.js';

/* How damage is shown: to people and to programs. */

/** Up to how many objects a command names that mends them. */
const maxNamed = 10;

const otherCopyTexts: Readonly<Record<OtherCopy, string>> = {
  proven: 'the other copy is whole',
  likely: 'the other copy is probably whole',
  unsure: 'the other copy may be whole',
  bad: 'the other copy is damaged, too',
  missing: "the other copy doesn't have it",
};

/** What to do where nothing tells which of two copies is right. */
export const copiesAdvice =
  'Leave them as they are, unless plakar shows, with an empty cache, that only the other copy can be read: fewer snapshots in `plakar ls`, errors ' +
  "or no OK line in `plakar check` (docs/keep.md). Then name them with --mac, and --unproven: `repair` takes the other copy's";

/** What to do about a damaged CONFIG. */
export const configAdvice = 'CONFIG is replaced by hand, with that of a copy that plakar can open.';

/** Whether `repair` replaces it without being told its name. */
export function isMendable({ otherCopy }: Damage): boolean {
  return otherCopy === 'proven' || otherCopy === 'likely';
}

/** A table of damaged objects for people. */
export function damageTable(damaged: readonly Damage[]): string {
  return columns(
    damaged.map(({ ref, text, otherCopy }) => {
      const other = otherCopy === undefined ? '' : `; ${otherCopyTexts[otherCopy]}`;
      return [ref.kind, ref.mac, text + other];
    }),
  );
}

/** For programs. */
export function damageJson({ ref, problem, text, otherCopy }: Damage): object {
  return { kind: ref.kind, mac: ref.mac, problem, text, otherCopy };
}

/** The options of `repair` that name these objects; none where they are many: all are repaired then. */
export function namesOf(damaged: readonly Damage[]): string[] {
  return damaged.length > maxNamed ? [] : damaged.flatMap(({ ref }) => ['--mac', ref.mac]);
}

/** `1 object`, `3 objects`. */
export function objectsText(count: number): string {
  return `${count} ${count === 1 ? 'object' : 'objects'}`;
}

/** What was read, and what is known of it. */
export function checkedText({ checked, proofs, deleted, recorded, onlyHere, onlyThere }: VerifyReport): string {
  const { digest, mac, 'other copy': other, header } = proofs;
  const here = onlyHere.packfile + onlyHere.state;
  const there = onlyThere.packfile + onlyThere.state;
  const rows = [
    ['read', sumsText(checked)],
    ['match their recorded digest', `${digest}`],
    ['match their MAC', `${mac}`],
    ['match the other copy', `${other}`],
    ['only their start could be checked', `${header}`],
    ['deleted meanwhile', `${deleted}`],
    ['digests recorded', `${recorded}`],
    ['not in the other copy', `${here}`],
    ['only in the other copy', `${there}`],
  ];
  return columns(rows.filter(([, count], row) => row === 0 || count !== '0'));
}
