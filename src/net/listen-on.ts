import type { ListenOptions, Server } from 'node:net';

/** Where to listen: an address, or a descriptor that listens already. */
export type ListenTarget = ListenOptions | { readonly fd: number };

/** Makes a server listen. Fails with the system's error. */
export function listenOn(server: Server, target: ListenTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
