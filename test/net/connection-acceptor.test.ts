import { expect } from 'chai';
import { Socket } from 'node:net';
import { ConnectionCount } from '../../src/net/connection-acceptor.js';

describe('ConnectionCount', () => {
  it('counts connections until they close, and no more than the limit', () => {
    const connections = new ConnectionCount(2);
    const [first, second, third] = [new Socket(), new Socket(), new Socket()] as const;
    expect([first, second, third].map((socket) => connections.add(socket))).to.deep.equal([true, true, false]);
    third.emit('close');
    expect(connections.current).to.equal(2);
    first.emit('close');
    expect(connections.current).to.equal(1);
    connections.max = 1;
    expect(connections.add(third)).to.equal(false);
    second.emit('close');
    expect(connections.add(third)).to.equal(true);
  });
});
