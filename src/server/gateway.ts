import type { Host } from '../backends/files/temporary.js';
import type { Config } from '../config/types.js';
import type { ListenAddress } from '../core/address.js';
import type { Logger } from '../lib/logger.js';
import type { RequestObserver } from '../core/request.js';
import type { ActivatedSocket } from '../net/activation.js';
import type { Shared } from './shared.js';
import type { User } from './user.js';

export interface GatewayOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly host: Host;
  readonly user: User;
  /** Is told of each request. Default: lines of the log. */
  readonly accessLog?: RequestObserver | undefined;
  /** The sockets that systemd passed on. Default: none. */
  readonly activated?: readonly ActivatedSocket[] | undefined;
  /** What it shares with other processes. Default: nothing. */
  readonly shared?: Shared | undefined;
}

/** A gateway that is serving. */
export interface Gateway {
  /** Where it listens now; ports are the real ones. */
  readonly http: readonly ListenAddress[];
  readonly grpc: readonly ListenAddress[];
  readonly metrics: readonly ListenAddress[];
  /** The files beside the configuration that it has read: when one changes, `reload` takes the change on. */
  readonly files: readonly string[];
  /**
   * Takes on another configuration, or the same one with what its files have now, without dropping a connection. Fails with a
   * message for the operator where that can't be, and what was in force stays so. One at a time.
   */
  reload(config: Config): Promise<void>;
  /** Opens the audit log's file anew, after it was renamed to rotate it. */
  reopenLogs(): Promise<void>;
  /** Another process of this gateway has answered a failed login from an address: its next ones are slowed down here, too. */
  countFailedLogin(address: string): void;
  /** What this process has counted and measured, in prom-client's form: the metrics of several processes are made of it. */
  metricValues(): Promise<readonly object[]>;
  /**
   * Stops: accepts nothing more, lets running requests go on for `graceMs` milliseconds (by default as configured), breaks off
   * the rest, and leaves nothing behind. May be called again with less patience.
   */
  close(graceMs?: number): Promise<void>;
}
