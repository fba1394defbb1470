/** How long a command takes before it shows anything, and the shortest time between two changes, in milliseconds. */
const quietMs = 1000;
const pauseMs = 200;

/** One line of a terminal that says how far a command that takes long has come. */
export class Progress {
  private nextMs: number;

  /**
   * @param write writes to the terminal; undefined: there is none
   * @param now milliseconds of a clock that never goes back
   */
  constructor(
    private readonly write: ((text: string) => void) | undefined,
    private readonly now = () => performance.now(),
  ) {
    this.nextMs = now() + quietMs;
  }

  /** Says what is being done, as in "packfiles looked at: 1000". Costs nothing most of the time. */
  show(what: string, done: number, of?: number): void {
    if (this.write === undefined || this.now() < this.nextMs) return;
    this.nextMs = this.now() + pauseMs;
    this.write(`\r${what}: ${done}${of === undefined ? '' : ` of ${of}`}\x1b[K`);
  }

  /** Clears the line. */
  clear(): void {
    this.write?.('\r\x1b[K');
  }
}
