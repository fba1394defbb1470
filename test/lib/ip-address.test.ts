import { expect } from 'chai';
import fc from 'fast-check';
import { isIPv6 } from 'node:net';
import { addressGroup } from '../../src/lib/ip-address.js';

describe('addressGroup', () => {
  const groups: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::3:4:5:6:7:8', '1:0:3:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
    ['unix socket', 'unix socket'],
  ];
  for (const [address, group] of groups) {
    it(`puts ${address} into ${group}`, () => {
      expect(addressGroup(address)).to.equal(group);
    });
  }

  it('puts all addresses of a /64 into one group, and of two into two', () => {
    const sixteen = fc.integer({ min: 0, max: 0xffff });
    const half = fc.tuple(sixteen, sixteen, sixteen, sixteen);
    // As people may write it, and as Node does.
    const write = (groups: number[]): string => groups.map((group) => group.toString(16)).join(':');
    const shorten = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);
    fc.assert(
      fc.property(half, half, half, half, (net, a, b, otherNet) => {
        const [first, second] = [write([...net, ...a]), write([...net, ...b])];
        expect(isIPv6(shorten(second))).to.equal(true);
        expect(addressGroup(first)).to.equal(addressGroup(shorten(second)));
        if (write(net) !== write(otherNet)) {
          expect(addressGroup(first)).to.not.equal(addressGroup(write([...otherNet, ...a])));
        }
      }),
    );
  });
});
