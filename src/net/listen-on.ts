import { once } from 'node:events';
import type { ListenOptions, Server } from 'node:net';

/** Makes a server listen on an address, or on the descriptor of a socket that is listening already. Fails with the system's error. */
export async function listenOn(server: Server, target: ListenOptions | { readonly fd: number }): Promise<void> {
  server.listen(target);
  await once(server, 'listening');
}
