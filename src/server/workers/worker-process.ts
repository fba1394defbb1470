import cluster from 'node:cluster';
import { Channel } from './channel.js';
import type { Primary, Worker } from './messages.js';

/** The primary's view of one worker process, from its start to its exit. */
export class WorkerProcess {
  readonly id: number;
  readonly pid: number;
  readonly channel: Channel<Primary, Worker>;
  /** Resolves when the worker serves. Rejects with a message for the operator if it can't. */
  readonly served: Promise<void>;
  /** Resolves when the process has exited, to how it did: `with exit code 1`, `by SIGKILL`. */
  readonly ended: Promise<string>;
  private readonly process;
  private state: 'starting' | 'serving' | 'failed' = 'starting';

  /** @param offer returns what the worker may call, except for the results of its start */
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
      serves: () => {
        this.state = 'serving';
        settle();
      },
      fails: (reason: string) => {
        this.state = 'failed';
        fail(reason);
      },
    };
    this.channel = new Channel((message) => this.sendIfConnected(message), mine);
    this.process.on('message', (message) => this.channel.receive(message));
    // Sending to a process that has just ended fails; its exit is handled below.
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

  /** Messages to a process that does not serve yet may be lost. */
  get serves(): boolean {
    return this.state === 'serving';
  }

  /** Stops the worker after a grace period in milliseconds, by default the configured one. May be called again with a shorter one. */
  stop(graceMs: number | undefined): void {
    if (this.state === 'serving') this.channel.tell('stop', graceMs);
    // One that has failed exits by itself, when it has written its log.
    else if (this.state === 'starting') this.kill();
  }

  kill(): void {
    this.process.process.kill('SIGKILL');
  }

  private sendIfConnected(message: object): void {
    if (this.process.isConnected()) this.process.send(message);
  }
}
