import type { Host } from '../backends/files/sweep.js';
import type { Config } from '../config/types.js';
import type { ListenAddress } from '../core/address.js';
import type { Logger } from '../lib/logger.js';
import type { ActivatedSocket } from '../net/activation.js';
import type { MirroringTimes } from './upkeep/mirroring.js';
import type { NewObjects } from './upkeep/new-objects.js';
import type { Shared } from './shared.js';
import type { VerifyingTimes } from './upkeep/verifying.js';
import type { User } from '../backends/backend.js';
import type { SessionTimes } from '../watch/session-tracker.js';

export interface GatewayOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly host: Host;
  readonly user: User;
  /** The sockets passed by systemd. Default: none. */
  readonly activated?: readonly ActivatedSocket[] | undefined;
  /** What it shares with other processes of the same gateway. Default: nothing. */
  readonly shared?: Shared | undefined;
  /** When callers count as gone. Default: as plakar does. */
  readonly sessionTimes?: SessionTimes | undefined;
  /** When mirrors are written. Default: as suits disks and networks. */
  readonly mirroringTimes?: Partial<MirroringTimes> | undefined;
  /** When objects are checked, and damage is told. */
  readonly verifyingTimes?: Partial<VerifyingTimes> | undefined;
}

/** A running gateway. */
export interface Gateway {
  /** The current addresses, with the actual ports. */
  readonly http: readonly ListenAddress[];
  readonly grpc: readonly ListenAddress[];
  readonly admin: readonly ListenAddress[];
  /** The other files that it has read for its configuration. A change to one needs a `reload`. */
  readonly files: readonly string[];
  /**
   * Activates another configuration, or the same one with the current content of its files, without closing connections. Fails
   * with a message for the operator; the previous configuration then stays active. Must not be called while a reload is running.
   */
  reload(config: Config): Promise<void>;
  /** Reopens the file of the audit log, after it was rotated by renaming. */
  reopenLogs(): Promise<void>;
  /** Counts a failed login from an address that another process of this gateway has seen. */
  countFailedLogin(address: string): void;
  /** Takes note of what callers have put into stores, by way of any process of this gateway, so that it is mirrored. */
  added(objects: readonly NewObjects[]): void;
  /** Counts a reload that failed, for the metrics. */
  countFailedReload(): void;
  /** The metrics of this process, in prom-client's form, so that they can be aggregated with those of other processes. */
  metricValues(): Promise<readonly object[]>;
  /**
   * Stops accepting connections, waits `graceMs` milliseconds for running requests, aborts the rest, and cleans up. Without `graceMs`,
   * everything is served for the configured delay first, while health checks say that the gateway stops, and the grace period is the
   * configured one. Can be called again with a shorter grace period, which ends the delay.
   */
  close(graceMs?: number): Promise<void>;
}
