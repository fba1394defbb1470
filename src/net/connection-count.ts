import type { Socket } from 'node:net';

/** Counts the open connections of all listeners, and limits them. */
export class ConnectionCount {
  private open = 0;

  /** @param max how many connections are accepted; a change applies to new ones */
  constructor(public max: number) {}

  /** How many connections are open. */
  get current(): number {
    return this.open;
  }

  /** Counts a new connection until it closes. Returns false, without counting it, if the limit is reached. */
  add(socket: Socket): boolean {
    if (this.open >= this.max) return false;
    this.open++;
    socket.once('close', () => this.open--);
    return true;
  }
}
