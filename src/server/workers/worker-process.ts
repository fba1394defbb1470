import cluster from 'node:cluster';
import { Channel } from './channel.js';
import type { Primary, Worker } from './messages.js';

/** A worker, as the primary sees it: a process of its own, from its start to its end. */
export class WorkerProcess {
  readonly id: number;
  readonly pid: number;
  readonly channel: Channel<Primary, Worker>;
  /** Resolves when it serves. Fails with a message for the operator when it can't. */
  readonly served: Promise<void>;
  /** Resolves, when the process has ended, to how. */
  readonly ended: Promise<string>;
  private readonly process;
  private state: 'starts' | 'serves' | 'fails' = 'starts';

  /** @param offer makes what the worker may ask for, but for what is about its start */
  constructor(offer: (id: number) => Omit<Primary, 'serves' | 'fails'>) {
    this.process = cluster.fork();
    this.id = this.process.id;
    this.pid = this.process.process.pid ?? NaN;
    let settle = (): void => undefined;
    let fail: (reason: string) => void = () => undefined;
    this.served = new Promise((resolve, reject) => {
      settle = resolve;
      fail = (reason) => reject(new Error(reason));
    });
    this.served.catch(() => undefined);
    const mine = {
      ...offer(this.id),
      serves: () => this.begin(settle),
      fails: (reason: string) => this.end(fail, reason),
    };
    this.channel = new Channel((message) => this.sendIfConnected(message), mine);
    this.process.on('message', (message) => this.channel.receive(message));
    // A process that ends while something is sent to it; its end is noticed below.
    this.process.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.process.once('exit', (code, signal: string | null) => {
        const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
        fail(`worker process ${this.pid} ended ${how} before it served`);
        this.channel.close(new Error(`worker process ${this.pid} ended ${how}`));
        resolve(how);
      });
    });
  }

  /** What is told to a process before it serves may be lost. */
  get serves(): boolean {
    return this.state === 'serves';
  }

  /** Has it stop within so many milliseconds, by default as it is configured to. May be called again with less patience. */
  stop(graceMs: number | undefined): void {
    if (this.state === 'serves') this.channel.tell('stop', graceMs);
    // One that fails ends by itself, when it has written its log.
    else if (this.state === 'starts') this.kill();
  }

  kill(): void {
    this.process.process.kill('SIGKILL');
  }

  private begin(settle: () => void): void {
    this.state = 'serves';
    settle();
  }

  private end(fail: (reason: string) => void, reason: string): void {
    this.state = 'fails';
    fail(reason);
  }

  private sendIfConnected(message: object): void {
    if (this.process.isConnected()) this.process.send(message);
  }
}
