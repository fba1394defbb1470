import type { MakePlaces } from '../layers/turns.js';
import type { Places } from '../lib/places.js';
import type { SocketPublisher } from '../net/unix-socket.js';

/** What several processes have in common that are one gateway. */
export interface Shared {
  /** For all connections, and for what each caller has under way. */
  readonly connections: Places;
  readonly turns: MakePlaces;
  readonly unixSockets: SocketPublisher;
  /** Tells the others of a failed login from an address, see Gateway.countFailedLogin. */
  loginFailed(address: string): void;
  /** Whether this process is the one that tells what is served, and sweeps the stores. */
  readonly isFirst: boolean;
  /** Whether it takes the place of another one that ended. */
  readonly isSuccessor: boolean;
  /** The metrics of all of them, as text. */
  metrics(): Promise<string>;
}
