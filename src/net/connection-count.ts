import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import type { Places } from '../lib/places.js';
import { Slots } from '../lib/semaphore.js';

/** How long a connection waits, in milliseconds, where places are shared with other processes and one has to be fetched. */
const waitMs = 1000;

/** How many connections there are, of all listeners together, and how many there may be. */
export class ConnectionCount {
  private open = 0;
  private readonly never = new AbortController().signal;

  /**
   * @param most at once; may be changed at any time, and holds for the connections that come then
   * @param shared where other processes count as well
   */
  constructor(
    private most: number,
    private readonly shared?: Places,
  ) {
    this.places = shared ?? new Slots(most);
    // Each connection that waits for its place listens.
    setMaxListeners(0, this.never);
  }

  private readonly places: Places;

  /** How many are open in this process. */
  get current(): number {
    return this.open;
  }

  get max(): number {
    return this.most;
  }

  set max(most: number) {
    this.most = most;
    this.places.resize(most);
  }

  /** Counts a connection in until it is closed. False, and not counted, where there are as many as there may be. */
  add(socket: Socket): boolean | Promise<boolean> {
    if (this.places.tryTake()) return this.count(socket);
    return this.shared !== undefined && this.fetch(socket, this.shared);
  }

  private async fetch(socket: Socket, places: Places): Promise<boolean> {
    if (!(await places.take(this.never, waitMs))) return false;
    return this.count(socket);
  }

  private count(socket: Socket): true {
    this.open += 1;
    const over = (): void => {
      this.open -= 1;
      this.places.give();
    };
    if (socket.destroyed) over();
    else socket.once('close', over);
    return true;
  }
}
