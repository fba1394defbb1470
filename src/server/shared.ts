import type { Instant } from '../layers/retention-clock.js';
import type { SocketPublisher } from '../net/unix-socket.js';
import type { Observation } from '../watch/observation.js';
import type { Status } from '../watch/status.js';

/** What a worker process shares with the others that form one gateway. */
export interface Shared {
  readonly unixSockets: SocketPublisher;
  /** Tells the other workers of a failed login from an address, see Gateway.countFailedLogin. */
  loginFailed(address: string): void;
  /** Whether this is the worker that logs what is served, and sweeps the stores. */
  readonly isFirst: boolean;
  /** Whether it replaces a worker that ended. */
  readonly isSuccessor: boolean;
  /** When the primary started: a worker that starts later must not believe a clock that has jumped since. */
  readonly startedAt: Instant;
  /** When the primary's operator said that the clock was right; undefined: not now. */
  readonly trustedAt: Instant | undefined;
  /** The metrics of all workers, in Prometheus's text format. */
  metrics(): Promise<string>;
  /** Tells the primary what callers do, and how the stores are. */
  observed(observation: Observation): void;
  /** The status of the gateway. */
  status(): Promise<Status>;
}
