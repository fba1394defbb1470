import type { Config } from '../config/types.js';
import { MirrorHealth } from './mirror-health.js';
import type { MirrorRead, MirrorReport } from './mirror-report.js';
import type { Observation } from './observation.js';
import type { StoreStatus, VerificationStatus } from './status.js';
import type { Teller } from './teller.js';
import type { UpkeepMetrics } from './upkeep-metrics.js';
import type { VerificationReport } from './verification-report.js';
import { storeText } from './wording.js';

/** The pause between two events of reads from the mirror of one store, in milliseconds. */
const readPauseMs = 3_600_000;

/** The pause between two events of the same copies that differ, in milliseconds. */
const damagePauseMs = 86_400_000;

/** Knows how the second copies of stores and their objects are, and tells people when one is not as it should be. */
export class UpkeepWatch {
  private readonly mirrors = new MirrorHealth();
  private readonly verifications = new Map<string, VerificationReport>();

  constructor(
    private readonly teller: Teller,
    private readonly metrics: UpkeepMetrics,
  ) {}

  configure({ stores }: Config, nowMs: number): void {
    this.mirrors.configure(stores, nowMs);
    for (const name of this.verifications.keys())
      if (stores.get(name)?.verification === undefined) this.verifications.delete(name);
  }

  observe({ mirrors = [], mirrorReads = [], verifications = [] }: Observation): void {
    for (const report of mirrors) this.takeMirror(report);
    for (const report of verifications) this.takeVerification(report);
    for (const read of mirrorReads) this.tellMirrorRead(read);
  }

  /** Tells what has changed as time went by. */
  tick(nowMs: number): void {
    for (const { event, store, text } of this.mirrors.changes(nowMs)) this.teller.tell(event, { store }, text);
  }

  statusOf(store: string, nowMs: number): Pick<StoreStatus, 'mirror' | 'verification'> {
    const mirror = this.mirrors.status(store, nowMs);
    const report = this.verifications.get(store);
    return { ...(mirror && { mirror }), ...(report && { verification: statusIn(report) }) };
  }

  private takeVerification(report: VerificationReport): void {
    const { store, found = [] } = report;
    this.verifications.set(store, report);
    for (const text of found) this.teller.tell('damage-found', { store }, text);
  }

  private takeMirror(report: MirrorReport): void {
    const { store, outcome, damaged = [] } = report;
    this.mirrors.take(report);
    if (outcome !== undefined) this.metrics.mirrorRan(store, outcome);
    this.tick(Date.now());
    const [first] = damaged;
    if (first === undefined) return;
    const more = damaged.length === 1 ? '' : ` (and ${damaged.length - 1} more)`;
    const text = `an object of ${storeText(store)} and its copy in the mirror are not the same: ${first}${more}`;
    const advice = 'kloset-gateway verify --against says which one is damaged';
    this.teller.tell('damage-found', { store }, `${text}; ${advice}`, damagePauseMs);
  }

  private tellMirrorRead({ store, kind, mac, loss }: MirrorRead): void {
    const text = `${kind} ${mac} of ${storeText(store)} ${loss}, and was read from the mirror`;
    const advice = 'kloset-gateway verify finds out what else is damaged';
    this.teller.tell('read-from-mirror', { store }, `${text}; ${advice}`, readPauseMs);
  }
}

function statusIn({ checked, planned, damaged, completedMs, problem }: VerificationReport): VerificationStatus {
  return {
    checkedObjects: checked.objects,
    checkedBytes: checked.bytes,
    damagedObjects: damaged,
    ...(planned !== undefined && { plannedObjects: planned }),
    ...(completedMs !== undefined && { completedMs }),
    ...(problem !== undefined && { problem }),
  };
}
