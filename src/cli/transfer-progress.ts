import cliProgress, { type GenericFormatter } from 'cli-progress';
import { Writable } from 'node:stream';
import type { StoreContext } from './named-store.js';
import { TransferRate } from './transfer-rate.js';

/** How wide the bar is, in characters, and how often it is drawn in a second. */
const barsize = 24;
const fps = 5;

/** How often a line is written where there is no terminal, in milliseconds. */
const lineMs = 60_000;

export interface TransferProgressOptions {
  /** What is done with the bytes: `copied`. */
  readonly verb: string;
  /** How often a line is written where there is no terminal, in milliseconds. Default: a minute. */
  readonly everyMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Shows how far a transfer of bytes has come: by a bar on a terminal, and by a line every minute elsewhere. `stop` has to be called. */
export class TransferProgress {
  private readonly rate: TransferRate;
  private readonly bar: cliProgress.SingleBar | undefined;
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly context: Pick<StoreContext, 'terminal' | 'say'>,
    { verb, everyMs = lineMs, now = () => performance.now() }: TransferProgressOptions,
  ) {
    const rate = (this.rate = new TransferRate(now));
    const { terminal, say } = context;
    if (terminal !== undefined) this.bar = barOn(terminal, rate);
    else if (say !== undefined) this.timer = setInterval(() => say(`${verb}: ${rate.text}\n`), everyMs).unref();
  }

  /** Says what is being found out, until the number of bytes is known. */
  begin(what: string): void {
    this.context.terminal?.(`\r${what}\x1b[K`);
  }

  /** Sets how many bytes there are, which is known now or has changed. */
  setTotal(bytes: number): void {
    const isFirst = this.rate.total === undefined;
    this.rate.total = bytes;
    this.context.terminal?.('\r\x1b[K');
    if (isFirst) this.bar?.start(bytes, this.rate.done);
    else this.bar?.setTotal(bytes);
  }

  /** @param bytes fewer, if negative: they have to be transferred again */
  add(bytes: number): void {
    this.rate.add(bytes);
    this.bar?.update(this.rate.done);
  }

  /** Ends it, and removes it from the terminal. */
  stop(): void {
    clearInterval(this.timer);
    this.bar?.stop();
    this.context.terminal?.('\r\x1b[K');
  }
}

function barOn(terminal: (text: string) => void, rate: TransferRate): cliProgress.SingleBar {
  const write = (chunk: Buffer, _: string, done: () => void): void => {
    terminal(chunk.toString());
    done();
  };
  const stream = Object.assign(new Writable({ write }), { isTTY: true });
  const format: GenericFormatter = (options) => {
    const percent = Math.floor(rate.share * 100);
    return `[${cliProgress.Format.BarFormat(rate.share, options)}] ${percent}%, ${rate.text}`;
  };
  const looks = { format, barsize, fps, barCompleteChar: '=', barIncompleteChar: '-' };
  // Signals are the program's own business.
  const behaviour = { clearOnComplete: true, hideCursor: null, linewrap: null, gracefulExit: false };
  return new cliProgress.SingleBar({ stream, ...looks, ...behaviour });
}
