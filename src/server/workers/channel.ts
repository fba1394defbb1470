/** What one side of a channel offers the other: functions, by name, whose arguments and results can be sent to another process. */
export type Api<T> = { readonly [K in keyof T]: (...args: never[]) => unknown };

/** A message of a channel: a question, where it has an id, or an answer, or what needs none. */
type Message =
  | { readonly call: string; readonly args: readonly unknown[]; readonly id?: number }
  | { readonly id: number; readonly result?: unknown; readonly error?: string };

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Calls between two processes. Errors arrive as their message. Who is called is trusted: it is the same program.
 *
 * @typeParam Mine what is offered here
 * @typeParam Theirs what the other side offers
 */
export class Channel<Mine extends Api<Mine>, Theirs extends Api<Theirs>> {
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private closed: Error | undefined;

  constructor(
    private readonly send: (message: object) => void,
    private readonly mine: Mine,
  ) {}

  /** Calls what the other side offers, and waits for the result. Fails when the channel is closed. */
  call<K extends keyof Theirs & string>(
    name: K,
    ...args: Parameters<Theirs[K]>
  ): Promise<Awaited<ReturnType<Theirs[K]>>> {
    return new Promise((resolve, reject) => {
      if (this.closed !== undefined) return reject(this.closed);
      const id = ++this.lastId;
      this.waiting.set(id, { resolve: (result) => resolve(result as Awaited<ReturnType<Theirs[K]>>), reject });
      this.send({ call: name, args, id });
    });
  }

  /** Calls it without waiting. What is told is done in its order, and before what is called later. */
  tell<K extends keyof Theirs & string>(name: K, ...args: Parameters<Theirs[K]>): void {
    if (this.closed === undefined) this.send({ call: name, args });
  }

  /** To be given each message that arrives. */
  receive(message: unknown): void {
    const received = message as Message;
    if ('call' in received) void this.answer(received);
    else this.settle(received);
  }

  /** Nothing comes any more: what waits for an answer fails. */
  close(error: Error): void {
    this.closed = error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private async answer({ call, args, id }: Extract<Message, { call: string }>): Promise<void> {
    const answer = (rest: object): void => {
      if (id !== undefined && this.closed === undefined) this.send({ id, ...rest });
    };
    try {
      const offered = this.mine[call as keyof Mine] as unknown as (...given: readonly unknown[]) => unknown;
      const result = offered(...args);
      answer({ result: result instanceof Promise ? await result : result });
    } catch (error) {
      answer({ error: error instanceof Error ? error.message : String(error) });
    }
  }

  private settle({ id, result, error }: Extract<Message, { result?: unknown }>): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error));
  }
}
