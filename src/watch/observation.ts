import type { Activity } from '../core/activity.js';
import type { MirrorRead, MirrorReport } from './mirror-report.js';
import type { StoreReport } from './store-report.js';
import type { VerificationReport } from './verification-report.js';

/** What a serving process tells the watch. Plain data, which is sent between processes. */
export interface Observation {
  readonly activity?: Activity;
  readonly reports?: readonly StoreReport[];
  readonly mirrors?: readonly MirrorReport[];
  readonly verifications?: readonly VerificationReport[];
  /** Reads that the mirrors of stores answered, or some of them. */
  readonly mirrorReads?: readonly MirrorRead[];
  /** When the TLS certificate expires, in milliseconds since 1970-01-01 UTC. */
  readonly certificateExpiresMs?: number | undefined;
}
