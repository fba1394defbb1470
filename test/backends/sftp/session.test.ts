import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import type { Client, SFTPWrapper } from 'ssh2';
import { linkOptions } from '../../../src/backends/sftp/options.js';
import { Session } from '../../../src/backends/sftp/session.js';
import type { Transport } from '../../../src/backends/sftp/transport.js';

describe('how far away an SFTP server is', () => {
  /** A session whose server answers when the function that `ask` gives is called. */
  function open(): { session: Session; ask: () => () => Promise<void> } {
    const transport = { receivedBytes: () => 0, destroy: () => undefined } as unknown as Transport;
    const client = new EventEmitter() as unknown as Client;
    const session = new Session(
      client,
      new EventEmitter() as unknown as SFTPWrapper,
      transport,
      linkOptions({ env: {}, home: '/nonexistent', localUser: 'op' }),
    );
    const ask = (): (() => Promise<void>) => {
      let answer!: () => void;
      const answered = session.request<undefined>((_sftp, done) => (answer = () => done(undefined, undefined)));
      return async () => {
        answer();
        await answered;
      };
    };
    return { session, ask };
  }

  const now = Date.now;
  let ms = 0;

  beforeEach(() => {
    Date.now = () => ms;
  });

  afterEach(() => {
    Date.now = now;
  });

  it('is what its fastest answer took', async () => {
    const { session, ask } = open();
    expect(session.roundTripMs).to.equal(0);
    for (const [took, known] of [
      [40, 40],
      [30, 30],
      [500, 30],
    ] as const) {
      const answer = ask();
      ms += took;
      await answer();
      expect(session.roundTripMs).to.equal(known);
    }
    session.kill('the test is over');
  });
});
