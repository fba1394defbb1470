import { expect } from 'chai';
import { constants } from 'node:http2';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MessageSender } from '../../../src/frontends/grpc/message-sender.js';
import { Pace } from '../../../src/frontends/pace.js';
import { expectFailure } from '../../support/store.js';

/** An HTTP/2 stream that takes what it is given when it is told to. */
class SlowStream extends Writable {
  readonly writes: string[] = [];
  headersSent = false;
  rstCode: number | undefined;
  private takes: ((error?: Error) => void)[] = [];

  constructor() {
    // As HTTP/2 streams are, which have an end of their own.
    super({ autoDestroy: false });
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk.toString()).join(''));
    this.takes.push(callback);
  }

  take(error?: Error): void {
    this.takes.shift()?.(error);
  }

  close(code: number): void {
    this.rstCode = code;
  }
}

describe('MessageSender', () => {
  let stream: SlowStream;
  let gone: AbortController;
  let now: number;
  let pace: Pace;
  let sender: MessageSender<string>;

  beforeEach(() => {
    stream = new SlowStream();
    gone = new AbortController();
    now = 0;
    pace = new Pace({ minRate: 100, stallMs: 1000 }, () => now);
    const call = { call: { stream }, sendMetadata: () => void (stream.headersSent = true) };
    const encode = (messages: readonly string[]): Buffer[] => messages.map((message) => Buffer.from(`<${message}>`));
    sender = new MessageSender(call, { encode, signal: gone.signal, pace });
  });

  it('sends the messages of one turn as one write, in their order, behind the headers', async () => {
    const sent = [sender.send('a'), sender.send('b')];
    await nextTurn();
    sent.push(sender.send('c'));
    await nextTurn();
    expect(stream.headersSent).to.equal(true);
    expect(stream.writes).to.deep.equal(['<a><b>']);
    stream.take();
    await nextTurn();
    expect(stream.writes).to.deep.equal(['<a><b>', '<c>']);
    stream.take();
    await Promise.all(sent);
  });

  it('is done with a message when the stream has taken it, not before', async () => {
    let done = false;
    const sent = sender.send('a').then(() => (done = true));
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(done).to.equal(false);
    stream.take();
    await sent;
  });

  it('fails with canceled when the caller goes away, with what is under way and what comes later', async () => {
    const underWay = sender.send('a');
    await nextTurn();
    const gathered = sender.send('b');
    gone.abort();
    await expectFailure(underWay, 'canceled');
    await expectFailure(gathered, 'canceled');
    await expectFailure(sender.send('c'), 'canceled');
    expect(stream.writes).to.deep.equal(['<a>']);
  });

  it('leaves a stream alone that has ended meanwhile, so that its status arrives', async () => {
    const errors: Error[] = [];
    stream.on('error', (error) => errors.push(error));
    const sent = sender.send('a');
    stream.end();
    await expectFailure(sent, 'canceled');
    await nextTurn();
    expect(errors).to.deep.equal([]);
  });

  it('fails with canceled when the stream breaks', async () => {
    stream.on('error', () => undefined);
    const sent = sender.send('a');
    await nextTurn();
    stream.take(new Error('reset'));
    await expectFailure(sent, 'canceled');
  });

  it('resets the stream of a client that takes nothing', async () => {
    const sent = sender.send('a');
    await nextTurn();
    now = 1500;
    pace.check();
    await expectFailure(sent, 'too_slow');
    expect(stream.rstCode).to.equal(constants.NGHTTP2_CANCEL);
    pace.check();
  });
});
