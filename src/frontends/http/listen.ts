import type { Server } from 'node:net';
import type { ListenAddress } from '../../core/address.js';

/** Starts a server on an address. Resolves to the address in force: a port 0 is replaced by the real one. */
export function listenOn(server: Server, address: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen('path' in address ? { path: address.path } : { ...address }, () => {
      server.removeListener('error', reject);
      const bound = server.address();
      resolve(
        bound === null || typeof bound === 'string' || 'path' in address ? address : { ...address, port: bound.port },
      );
    });
  });
}
