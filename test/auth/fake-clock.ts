/** A clock that a test controls. */
export class FakeClock {
  private time = Date.UTC(2030, 0, 1);
  private sleepers: { until: number; wake: () => void }[] = [];

  readonly now = (): number => this.time;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => this.sleepers.push({ until: this.time + ms, wake }));

  /** The remaining time of all sleeps, in milliseconds, in the order in which they began. */
  get sleeping(): readonly number[] {
    return this.sleepers.map(({ until }) => until - this.time);
  }

  /** Moves the clock forward (or back), and lets the sleeps that end continue. */
  async pass(ms: number): Promise<void> {
    this.time += ms;
    const woken = this.sleepers.filter(({ until }) => until <= this.time);
    this.sleepers = this.sleepers.filter(({ until }) => until > this.time);
    for (const { wake } of woken) wake();
    await settle();
  }
}

/** Lets all promises that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
