/** Where a server listens: a TCP port of one address or name, or a unix socket. Port 0 is any free one. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** An address as people write it: `127.0.0.1:9876`, `[::1]:9876`, `unix:/run/gateway.sock`. */
export function formatAddress(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
