/** Runs a task once for all callers that ask for it while it runs. With keys, once for each key. */
export class SingleFlight<T> {
  private readonly running = new Map<string, Promise<T>>();

  /** Starts `task`, unless one of the same key is running; that one's promise is returned then. */
  run(task: () => Promise<T>, key = ''): Promise<T> {
    const running = this.running.get(key);
    if (running !== undefined) return running;
    const result = task().finally(() => this.running.delete(key));
    this.running.set(key, result);
    return result;
  }
}
