import type { Config } from '../../config/types.js';
import type { ActivatedSocket } from '../../net/activation.js';
import type { UnixSocketOptions } from '../../net/unix-socket.js';
import type { Shared } from '../shared.js';

/** What a worker needs to start. */
export interface Start extends Pick<Shared, 'isFirst' | 'isSuccessor'> {
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
  /** A login from this address failed. */
  loginFailed(address: string): void;
  /** SocketPublisher of the primary. */
  prepareSocket(options: UnixSocketOptions): Promise<string>;
  publishSocket(options: UnixSocketOptions): Promise<void>;
  removeSocket(options: UnixSocketOptions): Promise<void>;
  /** The metrics of all workers, in Prometheus's text format. */
  metrics(): Promise<string>;
}

/** What the primary calls in workers. */
export interface Worker {
  /** A login from this address failed in another worker. */
  loginFailed(address: string): void;
  /** Applies a configuration that has the worker's share of the connections. */
  reload(config: Config): Promise<void>;
  reopenLogs(): Promise<void>;
  /** Stops the worker, whose process then exits. May be called again with a shorter grace period. */
  stop(graceMs: number | undefined): void;
  /** The worker's metrics, in prom-client's own form. */
  metrics(): Promise<readonly object[]>;
}
