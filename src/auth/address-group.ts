import { isIPv6 } from 'node:net';
import { plainAddress } from '../lib/ip-address.js';

/**
 * What counts as one address: an IPv4 address (also where it is written within an IPv6 one), and a /64 of IPv6, since whoever has
 * one address of it has all (RFC 6177). Anything else stands for itself.
 *
 * @param address as Node gives it, possibly with a zone: `fe80::1%eth0`
 */
export function addressGroup(address: string): string {
  const [ip = ''] = plainAddress(address).split('%');
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = ip.split('::');
  const before = head === '' ? [] : head.split(':');
  // An IPv4 address at the end is two groups; which ones is of no matter within the last 64 bits.
  const after =
    tail === undefined || tail === ''
      ? []
      : tail.split(':').flatMap((part) => (part.includes('.') ? ['0', '0'] : [part]));
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4);
  return `${groups.map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}
