/** Calls a function when something wasn't used for a while. It keeps no process running. */
export class IdleTimer {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly ms: number,
    private readonly onIdle: () => void,
  ) {}

  /** Must be called at every use. */
  used(): void {
    if (this.timer !== undefined) return void this.timer.refresh();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.onIdle();
    }, this.ms).unref();
  }
}
