import type { UnixSocketPlaces } from '../net/unix-socket.js';

/** What a worker process shares with the others that form one gateway. */
export interface Shared {
  readonly unixSockets: UnixSocketPlaces;
  /** Tells the other workers of a failed login from an address, see Gateway.countFailedLogin. */
  loginFailed(address: string): void;
  /** Whether this is the worker that logs what is served, and sweeps the stores. */
  readonly isFirst: boolean;
  /** Whether it replaces a worker that ended. */
  readonly isSuccessor: boolean;
  /** The metrics of all workers, in Prometheus's text format. */
  metrics(): Promise<string>;
}
