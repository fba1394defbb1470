import type { Config } from '../../config/types.js';
import type { ActivatedSocket } from '../../net/activation.js';
import type { UnixSocketOptions } from '../../net/unix-socket.js';

/** What a worker needs to begin. */
export interface Start {
  readonly config: Config;
  readonly activated: readonly ActivatedSocket[];
  /** Whether it is the first one: it says for all what is served, and sweeps. */
  readonly isFirst: boolean;
  /** Whether it takes the place of one that ended: what is served was said. */
  readonly isSuccessor: boolean;
}

/** What the metrics of one process are, in prom-client's own form. */
export type MetricValues = readonly object[];

/** What the primary offers a worker. */
export interface Primary {
  start(): Start;
  /** The worker serves. */
  serves(): void;
  /** The worker can't serve, and ends. */
  fails(reason: string): void;
  ask(key: string): void;
  giveBack(key: string, places: number): void;
  /** Tells of a failed login from an address. */
  loginFailed(address: string): void;
  /** SocketPublisher of the primary. */
  prepareSocket(options: UnixSocketOptions): Promise<string>;
  placeSocket(options: UnixSocketOptions): Promise<void>;
  removeSocket(options: UnixSocketOptions): Promise<void>;
  /** The metrics of all workers. */
  metrics(): Promise<string>;
}

/** What a worker offers the primary. */
export interface Worker {
  granted(key: string, places: number): void;
  recalled(key: string, places: number): void;
  /** Another worker has answered a failed login from an address. */
  loginFailed(address: string): void;
  reload(config: Config): Promise<void>;
  reopenLogs(): Promise<void>;
  /** Stops the worker; its process ends. May be called again with less patience. */
  stop(graceMs: number | undefined): void;
  metrics(): Promise<MetricValues>;
}
