import type { ListenOptions, Server } from 'node:net';

/** An address, or the descriptor of a socket that is listening already. */
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
