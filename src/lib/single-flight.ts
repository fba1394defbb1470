/** Work that several ask for at once is done once: who asks while it is under way gets what comes of it. */
export class SingleFlight<T> {
  private readonly underWay = new Map<string, Promise<T>>();

  /** Runs `work`, unless that of the same key is under way. */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.underWay.get(key);
    if (running !== undefined) return running;
    const result = work().finally(() => this.underWay.delete(key));
    this.underWay.set(key, result);
    return result;
  }
}
