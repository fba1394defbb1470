import { isIPv4 } from 'node:net';

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
