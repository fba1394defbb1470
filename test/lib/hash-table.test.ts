import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { HashTable } from '../../src/lib/hash-table.js';

const keyOf = (number: number): Buffer => createHash('sha256').update(String(number)).digest();

describe('HashTable', () => {
  it('finds the numbers of each key, however many there are', () => {
    const keys = Array.from({ length: 5000 }, (_, number) => keyOf(number));
    const table = new HashTable((number) => keys[number] ?? Buffer.alloc(32), 32);
    for (let number = 0; number < 5000; number++) {
      expect([...table.find(keyOf(number))]).to.deep.equal([]);
      table.add(number);
    }
    for (let number = 0; number < 5000; number++) expect([...table.find(keyOf(number))]).to.deep.equal([number]);
    expect([...table.find(keyOf(5000))]).to.deep.equal([]);
  });

  it('looks at few keys for each, also where they are alike', () => {
    const key = (number: number): Buffer => Buffer.from(String(number).padStart(8, '0').repeat(4));
    let looks = 0;
    const table = new HashTable((number) => {
      looks++;
      return key(number);
    }, 32);
    for (let number = 0; number < 20_000; number++) table.add(number);
    looks = 0;
    for (let number = 0; number < 20_000; number++) expect([...table.find(key(number))]).to.deep.equal([number]);
    expect(looks / 20_000).to.be.below(3);
  });

  it('gives the numbers of one key in their order, also after it has grown', () => {
    const table = new HashTable((number) => keyOf(number % 500), 32);
    for (let number = 0; number < 2000; number++) table.add(number);
    for (let number = 0; number < 500; number++) {
      expect([...table.find(keyOf(number))]).to.deep.equal([number, number + 500, number + 1000, number + 1500]);
    }
  });
});
