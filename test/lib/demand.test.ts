import { expect } from 'chai';
import { Demand } from '../../src/lib/demand.js';

describe('Demand', () => {
  let delivered: number[];
  const item = (number: number) => () => void delivered.push(number);

  beforeEach(() => (delivered = []));

  it('delivers an item that was asked for at once, and any other when it is asked for', () => {
    const demand = new Demand(0);
    demand.request();
    demand.deliver(item(1));
    expect(delivered).to.deep.equal([1]);
    demand.deliver(item(2));
    expect(delivered).to.deep.equal([1]);
    demand.request();
    expect(delivered).to.deep.equal([1, 2]);
  });

  it('delivers everything until it is told to hold', () => {
    const demand = new Demand(Infinity);
    for (let i = 0; i < 20; i++) demand.deliver(item(i));
    expect(delivered).to.have.length(20);
    demand.hold();
    demand.deliver(item(20));
    expect(delivered).to.have.length(20);
    demand.request();
    expect(delivered).to.have.length(21);
  });
});
