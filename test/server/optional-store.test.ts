import { expect } from 'chai';
import { rename } from 'node:fs/promises';
import { startTestGateway } from '../support/gateway.js';
import { HttpStore } from '../support/http-store.js';
import { listAll, expectFailure, eventually } from '../support/store.js';
import { emptyStore } from '../support/temp.js';

describe('A store that is optional', () => {
  it('is answered 503 while it cannot be opened, and served from when it can', async () => {
    const [blue, green] = [await emptyStore(), await emptyStore()];
    await rename(green, `${green}-unmounted`);
    const { httpPort, log, close } = await startTestGateway(undefined, {
      stores: { blue: { location: blue }, green: { location: green, optional: true } },
    });
    const store = new HttpStore(httpPort, { store: 'green' });
    try {
      expect(await listAll(new HttpStore(httpPort, { store: 'blue' }), 'state')).to.deep.equal([]);
      const { message } = await expectFailure(listAll(store, 'state'), 'unavailable');
      expect(message).to.include("the store can't be reached").and.not.include(green);
      const warnings = log.filter(({ level }) => level === 'warn').map((line) => line.message);
      expect(warnings[0]).to.include(green).and.include('it is optional, and tried again in 1 s');
      await rename(`${green}-unmounted`, green);
      await eventually(
        async () => (await listAll(store, 'state').catch(() => undefined)) !== undefined,
        'it is served',
      );
      expect(await listAll(store, 'state')).to.deep.equal([]);
    } finally {
      await close();
    }
  });

  it('keeps no gateway from starting, but a store that is not does', async () => {
    const blue = await emptyStore();
    const bad = { blue: { location: blue }, green: { location: `${blue}-missing` } };
    const started: unknown = await startTestGateway(undefined, { stores: bad }).catch((error: unknown) => error);
    expect(String(started)).to.include(`${blue}-missing`);
  });
});
