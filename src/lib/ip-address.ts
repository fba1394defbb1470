import { isIPv4 } from 'node:net';

/** An IP address as people know it: one of IPv4 that came through a socket for both kinds is `10.0.0.1`, not `::ffff:10.0.0.1`. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:/i.test(address) ? address.slice('::ffff:'.length) : '';
  return isIPv4(mapped) ? mapped : address;
}

/** Whether an IP address is this machine's own and nobody else's. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}
