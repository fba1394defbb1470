import { expect } from 'chai';
import type { ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';
import { canceled } from '../../../src/core/errors.js';
import { AnswerSender } from '../../../src/frontends/grpc/answer-sender.js';
import { eventually, expectFailure } from '../../support/store.js';

const KiB = 1024;

describe('Sending the answers of ReadRanges', () => {
  let messages: ReadRangesResponse[];
  let sizes: number[];
  let taken: (error?: Error) => void;
  let sender: AnswerSender;

  beforeEach(() => {
    messages = [];
    sizes = [];
    sender = new AnswerSender((message, bytes) => {
      messages.push(message);
      sizes.push(bytes);
      return new Promise((resolve, reject) => {
        taken = (error) => (error === undefined ? resolve() : reject(error));
      });
    });
  });

  const answer = (tag: number, length = 10, shares = true) => ({
    tag: BigInt(tag),
    chunk: Buffer.alloc(length, tag),
    last: true,
    error: undefined,
    shares,
  });

  const tagsOf = ({ tag, answers }: ReadRangesResponse) =>
    answers.length === 0 ? [Number(tag)] : answers.map((each) => Number(each.tag));

  const untilSent = (count: number) => eventually(async () => messages.length === count, `${count} messages are sent`);

  /** Sends answers together, and has each message taken. */
  async function messagesOf(...answers: ReturnType<typeof answer>[]): Promise<number[][]> {
    const all = Promise.all(answers.map((each) => sender.send(each)));
    let done = false;
    void all.then(() => (done = true));
    for (let count = 1; !done; count++) {
      await eventually(async () => done || messages.length === count, `message ${count} is sent`);
      taken();
      await new Promise(setImmediate);
    }
    return messages.map(tagsOf);
  }

  it('sends answers that are ready together in one message, and others alone', async () => {
    expect(await messagesOf(answer(1), answer(2), answer(3, 10, false), answer(4, 10, false), answer(5))).to.deep.equal(
      [[1, 2], [3], [4], [5]],
    );
    expect(sizes).to.deep.equal([20, 10, 10, 10]);
  });

  it('starts another message before one has more than 256 KiB', async () => {
    const large = 1024 * KiB;
    expect(
      await messagesOf(
        answer(1, 200 * KiB),
        answer(2, 100 * KiB),
        answer(3, large),
        answer(4, 256 * KiB),
        answer(5, 1),
      ),
    ).to.deep.equal([[1], [2], [3], [4], [5]]);
  });

  it('gathers the answers that become ready while a message is being sent', async () => {
    const first = sender.send(answer(1));
    await untilSent(1);
    const others = [sender.send(answer(2)), sender.send(answer(3))];
    taken();
    await first;
    await untilSent(2);
    taken();
    await Promise.all(others);
    expect(messages.map(tagsOf)).to.deep.equal([[1], [2, 3]]);
  });

  it('fails each answer of a message that could not be sent, and tries the next ones', async () => {
    const failed = [sender.send(answer(1)), sender.send(answer(2))];
    const outcomes = Promise.all(failed.map((each) => expectFailure(each, 'canceled')));
    await untilSent(1);
    const next = sender.send(answer(3));
    taken(canceled());
    await outcomes;
    await untilSent(2);
    taken();
    await next;
  });
});
