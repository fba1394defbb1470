import { isIPv4, isIPv6 } from 'node:net';

/** An IP address in its usual form: an IPv4 address that a dual-stack socket reports as `::ffff:10.0.0.1` becomes `10.0.0.1`. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:/i.test(address) ? address.slice('::ffff:'.length) : '';
  return isIPv4(mapped) ? mapped : address;
}

/** Whether an IP address is a loopback address. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/**
 * Groups addresses for limits: an IPv4 address (also in its IPv6-mapped form) is a group of its own, and so is each /64 of IPv6, because
 * one site has all of its addresses (RFC 6177). Any other text is returned as it is.
 *
 * @param address as Node returns it, possibly with a zone: `fe80::1%eth0`
 */
export function addressGroup(address: string): string {
  // Most are IPv4, and this runs for every request.
  if (!address.includes(':')) return address;
  const [ip = ''] = plainAddress(address).split('%');
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = ip.split('::');
  const before = head === '' ? [] : head.split(':');
  // An IPv4 address at the end is two groups, whose values don't matter in the last 64 bits.
  const after =
    tail === undefined || tail === ''
      ? []
      : tail.split(':').flatMap((part) => (part.includes('.') ? ['0', '0'] : [part]));
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4);
  return `${groups.map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}
