/** Functions that one side of a channel offers the other. Their arguments and results can be sent to another process. */
export type Api<T> = { readonly [K in keyof T]: (...args: never[]) => unknown };

/** A call, with an id if it expects a reply, or a reply. */
type Message =
  | { readonly call: string; readonly args: readonly unknown[]; readonly id?: number }
  | { readonly id: number; readonly result?: unknown; readonly error?: string };

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Remote procedure calls between two processes. Of errors, the message is sent. Both sides trust each other: they are the same program.
 *
 * @typeParam Mine the functions of this side
 * @typeParam Theirs the functions of the other side
 */
export class Channel<Mine extends Api<Mine>, Theirs extends Api<Theirs>> {
  private readonly pending = new Map<number, PendingCall>();
  private lastId = 0;
  private closed: Error | undefined;

  constructor(
    private readonly send: (message: object) => void,
    private readonly mine: Mine,
  ) {}

  /** Calls a function of the other side, and waits for its result. Rejects when the channel is closed. */
  call<K extends keyof Theirs & string>(
    name: K,
    ...args: Parameters<Theirs[K]>
  ): Promise<Awaited<ReturnType<Theirs[K]>>> {
    return new Promise((resolve, reject) => {
      if (this.closed !== undefined) return reject(this.closed);
      const id = ++this.lastId;
      this.pending.set(id, { resolve: (result) => resolve(result as Awaited<ReturnType<Theirs[K]>>), reject });
      this.send({ call: name, args, id });
    });
  }

  /** Calls a function without waiting for its result. Calls start in the order in which they were sent. */
  tell<K extends keyof Theirs & string>(name: K, ...args: Parameters<Theirs[K]>): void {
    if (this.closed === undefined) this.send({ call: name, args });
  }

  /** Must be called with each message that arrives. */
  receive(message: unknown): void {
    const received = message as Message;
    if ('call' in received) void this.execute(received);
    else this.settle(received);
  }

  /** Must be called when no more messages can arrive: pending calls reject. */
  close(error: Error): void {
    this.closed = error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }

  private async execute({ call, args, id }: Extract<Message, { call: string }>): Promise<void> {
    const reply = (rest: object): void => {
      if (id !== undefined && this.closed === undefined) this.send({ id, ...rest });
    };
    try {
      const execute: unknown = this.mine[call as keyof Mine];
      if (typeof execute !== 'function') throw new Error(`there is no ${call}`);
      reply({ result: (await execute(...args)) as unknown });
    } catch (error) {
      reply({ error: error instanceof Error ? error.message : String(error) });
    }
  }

  private settle({ id, result, error }: Extract<Message, { result?: unknown }>): void {
    const call = this.pending.get(id);
    this.pending.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  }
}
