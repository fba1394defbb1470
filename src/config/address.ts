import type { ListenAddress } from '../core/address.js';
import { isLoopback } from '../lib/ip-address.js';

/**
 * Parses an address to listen on: `host:port`, `[v6]:port`, `[fe80::1%eth0]:port`, `:port` (every address of the machine; the host is
 * then empty), `unix:/path`, or `systemd` and `systemd:NAME` for sockets opened by systemd. Undefined for anything else.
 */
export function parseAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return path.startsWith('/') && !path.includes('\0') ? { path } : undefined;
  }
  const socket = /^systemd(?::([^:\s\p{Cc}]{1,255}))?$/u.exec(text);
  if (socket) return { systemd: socket[1] ?? '' };
  const [, v6, name, digits] = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return digits === undefined || port > 65535 ? undefined : { host: v6 ?? name ?? '', port };
}

/**
 * Whether only this machine can reach an address. Hosts' names other than localhost aren't resolved, and count as reachable from
 * elsewhere. Undefined for sockets opened by systemd, since only the open socket tells (`Listener.localOnly`).
 */
export function isLocalOnly(address: ListenAddress): boolean | undefined {
  if ('systemd' in address) return undefined;
  return 'path' in address || address.host === 'localhost' || isLoopback(address.host);
}
