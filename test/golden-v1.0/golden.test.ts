import { expect } from 'chai';
import { Agent } from 'node:http';
import { startTestGateway } from '../support/gateway.js';
import { fixtureStore } from '../support/temp.js';
import { commands, recordingOf } from '../golden/recordings.js';
import { send } from '../golden/replay.js';

/*
 * What plakar 1.0.6's client and its server said to each other, replayed to the gateway, which has to answer the same, byte by
 * byte: status, Content-Type, Content-Length where one was sent, and body. No exception.
 */

const reading: readonly string[] = ['ls-empty', 'ls', 'check', 'restore'];

for (const store of ['plaintext', 'encrypted'] as const) {
  describe(`the exchanges recorded between plakar 1.0 and its server, ${store}`, () => {
    let folder: string;

    // Each command was recorded on the store that the ones before it had left.
    before(async () => {
      folder = await fixtureStore(`v1.0-${store}/store-empty`);
    });

    for (const command of commands) {
      it(`${command}: the same answers`, async () => {
        const access = command === 'maintenance' ? 'allow-delete' : 'allow-write';
        const gateway = await startTestGateway(folder, reading.includes(command) ? {} : { [access]: true });
        const agent = new Agent({ keepAlive: true });
        try {
          for (const { asked, recorded } of recordingOf(store, command, 'v1.0')) {
            const got = await send(agent, gateway.httpPort, asked);
            const contentLength = recorded.contentLength === 'free' ? got.contentLength : recorded.contentLength;
            const about = `${asked.method} ${asked.url} ${asked.body.toString('latin1', 0, 100)}`;
            expect(got, about).to.deep.equal({ ...recorded, contentLength });
          }
        } finally {
          agent.destroy();
          await gateway.close();
        }
      });
    }
  });
}
