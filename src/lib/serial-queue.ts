/** Work that is done one after the other for each key, and for different keys at once. Of keys that have none nothing is kept. */
export class OneByOne {
  private readonly queues = new Map<string, { last: Promise<unknown>; length: number }>();

  /** How many keys have work. */
  get size(): number {
    return this.queues.size;
  }

  /** How many of this key wait or are at work. */
  waiting(key: string): number {
    return this.queues.get(key)?.length ?? 0;
  }

  /** Runs `work` when everything of the same key that came before is over, however it ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.queues.get(key) ?? { last: Promise.resolve(), length: 0 };
    this.queues.set(key, queue);
    queue.length++;
    const result = queue.last.then(work);
    queue.last = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      if (--queue.length === 0) this.queues.delete(key);
    }
  }
}
