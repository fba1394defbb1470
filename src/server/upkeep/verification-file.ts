import { verifiedKinds, type VerifiedRef, type VerifyPosition } from '../../integrity/verify-report.js';
import type { Logger } from '../../lib/logger.js';
import type { Sum } from '../../replication/report.js';
import { StateFile } from './state-file.js';

/** What is remembered of a store's verification. Times are in ms since 1970-01-01 UTC. */
export interface VerificationState {
  /** The location of the store. */
  readonly location: string;
  /** When the pass that is under way began, or the last one. */
  readonly beganMs: number;
  /** What it has read. */
  readonly checked: Sum;
  /** How far it has come; undefined if it is completed, or has not come far. */
  readonly position?: VerifyPosition | undefined;
  /** When the last pass that was completed ended. */
  readonly completedMs?: number | undefined;
  /** What was found to be damaged in it, and is not known to be mended. */
  readonly damaged: readonly VerifiedRef[];
  /** The same of the mirror; undefined in files from before this was kept. */
  readonly mirrorDamaged?: readonly VerifiedRef[] | undefined;
}

/** Keeps in the state folder how far the verification of a store has come, so that a restart goes on from there. */
export class VerificationFile {
  private readonly file: StateFile<VerificationState>;

  /** @param stateDir undefined: nothing is kept */
  constructor(stateDir: string | undefined, name: string, log: Pick<Logger, 'warn'>) {
    const loss = 'the store is verified from its beginning';
    this.file = new StateFile({ stateDir, folder: 'verify', name, log, isState, loss });
  }

  /**
   * What was kept of the store at a location; undefined if there is nothing, or it can't be read. What is in the future, since the clock was wrong,
   * counts as now.
   */
  async read(location: string): Promise<VerificationState | undefined> {
    const state = await this.file.read();
    if (state?.location !== location) return undefined;
    const { beganMs, completedMs } = state;
    const nowMs = Date.now();
    const past = completedMs === undefined ? {} : { completedMs: Math.min(completedMs, nowMs) };
    return { ...state, beganMs: Math.min(beganMs, nowMs), ...past };
  }

  /** Keeps a state, which replaces the one before. Resolves when it is kept, or can't be. Never rejects. */
  write(state: VerificationState): Promise<void> {
    return this.file.write(state);
  }
}

/** Whether what a file has in it is a state, as far as anything relies on it. */
function isState(value: unknown): value is VerificationState {
  const { location, beganMs, checked, completedMs, damaged, mirrorDamaged, position } = (value ??
    {}) as Partial<VerificationState>;
  return (
    typeof location === 'string' &&
    [beganMs, checked?.objects, checked?.bytes, completedMs ?? 0].every(Number.isFinite) &&
    [damaged, mirrorDamaged ?? []].every(areRefs) &&
    (position === undefined || (areRefs([position.last]) && isReport(position.report)))
  );
}

function isReport(value: unknown): boolean {
  const { checked, proofs, damaged, otherDamaged } = (value ?? {}) as Partial<VerifyPosition['report']>;
  const hasSums = verifiedKinds.every((kind) => Number.isFinite(checked?.[kind].objects));
  return hasSums && proofs !== undefined && Array.isArray(damaged) && Array.isArray(otherDamaged);
}

function areRefs(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return value.every((each: Partial<VerifiedRef> | null) => {
    const { kind, mac } = each ?? {};
    return verifiedKinds.some((known) => known === kind) && typeof mac === 'string';
  });
}
