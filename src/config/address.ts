import { isIPv4 } from 'node:net';
import type { ListenAddress } from '../core/address.js';

/**
 * Parses where to listen: `host:port`, `[v6]:port`, `:port` (every address of the machine; the host is then empty) or
 * `unix:/path`. Undefined for anything else.
 */
export function parseAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return path.startsWith('/') && !path.includes('\0') ? { path } : undefined;
  }
  const [, v6, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return digits === undefined || port > 65535 ? undefined : { host: v6 ?? name ?? '', port };
}

/** Whether only this machine can reach an address. A name other than localhost may be anything. */
export function isLocalOnly(address: ListenAddress): boolean {
  if ('path' in address) return true;
  const { host } = address;
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
