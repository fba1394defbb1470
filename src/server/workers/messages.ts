import type { Config } from '../../config/types.js';
import type { ActivatedSocket } from '../../net/activation.js';
import type { TimedLine } from '../../observability/worker-log.js';
import type { UnixSocketOptions } from '../../net/unix-socket.js';
import type { Observation } from '../../watch/observation.js';
import type { Status } from '../../watch/status.js';
import type { NewObjects } from '../upkeep/new-objects.js';
import type { Shared } from '../shared.js';

/** What a worker needs to start. */
export interface Start extends Pick<Shared, 'isFirst' | 'isSuccessor' | 'startedAt' | 'trustedAt'> {
  /** With the worker's share of the connections. */
  readonly config: Config;
  readonly activated: readonly ActivatedSocket[];
}

/** What workers call in the primary. */
export interface Primary {
  start(): Start;
  /** The worker serves. */
  serves(): void;
  /** The worker can't serve, and exits. */
  fails(reason: string): void;
  /** Lines for the log, in the order of their times. */
  logged(lines: readonly TimedLine[]): void;
  /** A login from this address failed. */
  loginFailed(address: string): void;
  /** SocketPublisher of the primary. */
  prepareSocket(options: UnixSocketOptions): Promise<string>;
  publishSocket(options: UnixSocketOptions): Promise<void>;
  removeSocket(options: UnixSocketOptions): Promise<void>;
  /** The metrics of all workers, in Prometheus's text format. */
  metrics(): Promise<string>;
  /** What the worker's callers did, and how the stores are. */
  observed(observation: Observation): void;
  /** The status of the gateway. */
  status(): Status;
}

/** What the primary calls in workers. */
export interface Worker {
  /** A login from this address failed in another worker. */
  loginFailed(address: string): void;
  /** Callers have put these into stores that have mirrors, by way of any worker. */
  added(objects: readonly NewObjects[]): void;
  /** Applies a configuration that has the worker's share of the connections. */
  reload(config: Config): Promise<void>;
  reopenLogs(): Promise<void>;
  /** Stops the worker, whose process then exits. May be called again with a shorter grace period. */
  stop(graceMs: number | undefined): void;
  /** The worker's metrics, in prom-client's own form. */
  metrics(): Promise<readonly object[]>;
}
