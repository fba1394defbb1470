/** Runs tasks one at a time, in the order in which they were added; with keys, one at a time for each key. */
export class SerialQueue {
  /** Of the keys that have tasks. */
  private readonly queues = new Map<string, { last: Promise<unknown>; length: number }>();

  /** How many tasks of a key run or wait. */
  length(key = ''): number {
    return this.queues.get(key)?.length ?? 0;
  }

  /** Runs `task` after all earlier ones of the same key, whether these succeeded or failed. Settles as `task` does. */
  async run<T>(task: () => Promise<T>, key = ''): Promise<T> {
    const queue = this.queues.get(key) ?? { last: Promise.resolve(), length: 0 };
    this.queues.set(key, queue);
    queue.length++;
    const result = queue.last.then(task);
    queue.last = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      if (--queue.length === 0) this.queues.delete(key);
    }
  }
}
