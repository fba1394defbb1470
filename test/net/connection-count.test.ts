import { expect } from 'chai';
import { Socket } from 'node:net';
import { ConnectionCount } from '../../src/net/connection-count.js';
import { Slots } from '../../src/lib/semaphore.js';

describe('ConnectionCount', () => {
  it('lets any number of connections wait for places that come from elsewhere, without a warning of a leak', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on('warning', note);
    const places = new Slots(0);
    const connections = new ConnectionCount(100, places);
    const added = Array.from({ length: 50 }, () => connections.add(new Socket()));
    places.resize(100);
    expect(await Promise.all(added)).to.deep.equal(added.map(() => true));
    expect(connections.current).to.equal(50);
    // Warnings come a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).to.deep.equal([]);
  });
});
