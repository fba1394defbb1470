/** A clock that goes on only when a test says so. */
export class FakeClock {
  private time = Date.UTC(2030, 0, 1);
  private sleepers: { until: number; wake: () => void }[] = [];

  readonly now = (): number => this.time;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => this.sleepers.push({ until: this.time + ms, wake }));

  /** How long those that sleep go on sleeping, in milliseconds, in the order in which they began. */
  get sleeping(): readonly number[] {
    return this.sleepers.map(({ until }) => until - this.time);
  }

  /** Lets time pass (or go back), and everything happen that waited for that. */
  async pass(ms: number): Promise<void> {
    this.time += ms;
    const woken = this.sleepers.filter(({ until }) => until <= this.time);
    this.sleepers = this.sleepers.filter(({ until }) => until > this.time);
    for (const { wake } of woken) wake();
    await settle();
  }
}

/** Lets promises that can go on do so. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
