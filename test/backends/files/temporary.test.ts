import { expect } from 'chai';
import fc from 'fast-check';
import { parseTemporary, temporaryPath } from '../../../src/backends/files/layout.js';
import { isLeftover, type Host } from '../../../src/backends/files/sweep.js';

const alive = new Set([7, 8]);
const host: Host = { name: 'nas.example', pid: 7, startedMs: 1_000_000, isAlive: (pid) => alive.has(pid) };
const now = 2_000_000;

const newName = (host = 'nas.example', pid = 7): string =>
  temporaryPath('states', { host, pid }).slice('states/'.length);

describe('the name of a temporary file', () => {
  it('tells whose it is, whatever the host is called', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (name, pid) => {
        const parsed = parseTemporary(newName(name, pid));
        expect(parsed?.pid).to.equal(pid);
        expect(parsed?.host).to.match(/^[A-Za-z0-9-]+$/);
      }),
    );
  });

  it('is never the same twice', () => {
    expect(newName()).not.to.equal(newName());
  });

  it('is not seen in the names of others', () => {
    for (const name of ['tmp.123', 'tmp.kloset-gateway.x', 'tmp.kloset-gateway.a.1.0', `x${newName()}`]) {
      expect(parseTemporary(name), name).to.equal(undefined);
    }
  });
});

describe('a leftover', () => {
  const day = 24 * 3600 * 1000;

  it("is a file of this host's process that is gone", () => {
    expect(isLeftover({ host: 'nas-example', pid: 9 }, now - 1, host, now)).to.equal(true);
    expect(isLeftover({ host: 'nas-example', pid: 8 }, now - 1, host, now)).to.equal(false);
  });

  it('is a file with our own number that is older than we are', () => {
    expect(isLeftover({ host: 'nas-example', pid: 7 }, host.startedMs - 1, host, now)).to.equal(true);
    expect(isLeftover({ host: 'nas-example', pid: 7 }, host.startedMs + 1, host, now)).to.equal(false);
  });

  it("is another host's file when it is a day old", () => {
    expect(isLeftover({ host: 'other', pid: 9 }, now - 1, host, now)).to.equal(false);
    expect(isLeftover({ host: 'other', pid: 9 }, now - day - 1, host, now)).to.equal(true);
  });
});
