import type { Socket } from 'node:net';

/** How many connections there are, of all listeners together, and how many there may be. */
export class ConnectionCount {
  private open = 0;

  /** @param max the most at once; may be changed at any time, and holds for the connections that come then */
  constructor(public max: number) {}

  get current(): number {
    return this.open;
  }

  /** Counts a connection in until it is closed. False, and not counted, where there are as many as there may be. */
  add(socket: Socket): boolean {
    if (this.open >= this.max) return false;
    this.open += 1;
    socket.once('close', () => (this.open -= 1));
    return true;
  }
}
