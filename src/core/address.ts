/**
 * Where a server listens: a TCP port of an address or host name, a unix socket, or the sockets of this name that systemd passed (an
 * empty name: all of them). Port 0 is any free port.
 */
export type ListenAddress =
  { readonly host: string; readonly port: number } | { readonly path: string } | { readonly systemd: string };

/** An address as in a configuration: `127.0.0.1:9876`, `[::1]:9876`, `unix:/run/gateway.sock`, `systemd`, `systemd:NAME`. */
export function formatAddress(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  if ('systemd' in address) return address.systemd === '' ? 'systemd' : `systemd:${address.systemd}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
