import { expect } from 'chai';
import { constants } from 'node:http2';
import { messageSender, type Send } from '../../../src/frontends/grpc/message-sender.js';
import { Pace } from '../../../src/frontends/pace.js';
import { Requests } from '../../../src/frontends/requests.js';
import { expectFailure } from '../../support/store.js';

interface Message {
  readonly text: string;
}

/** A call whose client takes messages when the test says so. */
class SlowCall {
  readonly texts: string[] = [];
  taken: (error?: Error) => void = () => undefined;

  write({ text }: Message, callback: (error?: Error | null) => void): boolean {
    this.texts.push(text);
    this.taken = callback;
    return false;
  }
}

describe('Sending messages of a gRPC call', () => {
  let call: SlowCall;
  let stream: { writableEnded: boolean; writableLength: number; close(code?: number): void };
  let resetCode: number | undefined;
  let ended: AbortController;
  let now: number;
  let pace: Pace;
  let send: Send<Message>;
  const record = new Requests([]).start('grpc', '', '', '');

  beforeEach(() => {
    call = new SlowCall();
    resetCode = undefined;
    stream = { writableEnded: false, writableLength: 1, close: (code) => void (resetCode = code) };
    ended = new AbortController();
    now = 0;
    pace = new Pace({ minRate: 100, stallMs: 1000 }, () => now);
    record.sent = 0;
    send = messageSender({ call, stream, signal: ended.signal, pace, record });
  });

  it('resolves when the transport has taken the message, not before, and counts its bytes', async () => {
    const outcome: string[] = [];
    const sent = send({ text: 'a' }, 10).then(() => outcome.push('sent'));
    expect(call.texts).to.deep.equal(['a']);
    await Promise.resolve();
    outcome.push('taken');
    expect(record.sent).to.equal(0);
    call.taken();
    await sent;
    expect(outcome).to.deep.equal(['taken', 'sent']);
    expect(record.sent).to.equal(10);
  });

  it('fails with canceled when the call ends, and sends nothing more', async () => {
    const first = send({ text: 'a' }, 1);
    ended.abort();
    await expectFailure(first, 'canceled');
    await expectFailure(send({ text: 'b' }, 1), 'canceled');
    expect(call.texts).to.deep.equal(['a']);
    expect(record.sent).to.equal(0);
  });

  it('resets the stream of a call that ends while a message is not taken, and of no other', async () => {
    const first = send({ text: 'a' }, 1);
    call.taken();
    await first;
    ended.abort();
    expect(resetCode).to.equal(undefined);
    ended = new AbortController();
    const second = messageSender({ call, stream, signal: ended.signal, pace, record })({ text: 'b' }, 1);
    ended.abort();
    await expectFailure(second, 'canceled');
    expect(resetCode).to.equal(constants.NGHTTP2_CANCEL);
  });

  it('leaves a stream alone that grpc-js has ended, so that the status arrives', async () => {
    stream.writableEnded = true;
    await expectFailure(send({ text: 'a' }, 1), 'canceled');
    expect(call.texts).to.deep.equal([]);
    expect(resetCode).to.equal(undefined);
  });

  it('fails with canceled when the write fails', async () => {
    const sent = send({ text: 'a' }, 1);
    call.taken(new Error('reset'));
    await expectFailure(sent, 'canceled');
  });

  it('resets the stream of a client that takes nothing', async () => {
    const sent = send({ text: 'a' }, 1);
    now = 1500;
    pace.check();
    await expectFailure(sent, 'too_slow');
    expect(resetCode).to.equal(constants.NGHTTP2_CANCEL);
    pace.check();
  });

  it('works where the stream is not known', async () => {
    const unknown = messageSender({ call, stream: undefined, signal: ended.signal, pace, record });
    const sent = unknown({ text: 'a' }, 1);
    call.taken();
    await sent;
    const canceled = unknown({ text: 'b' }, 1);
    ended.abort();
    await expectFailure(canceled, 'canceled');
  });
});
