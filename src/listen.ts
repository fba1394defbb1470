import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { formatAddress, type ListenAddress } from './core/address.js';
import type { Frontend } from './frontends/frontend.js';

/**
 * Makes a frontend listen at an address as its operator means it: `localhost` is both 127.0.0.1 and ::1 where they exist, and
 * an empty host every address of the machine. Resolves to the addresses in force. Fails with a message for the operator.
 */
export async function listenAt(frontend: Frontend, address: ListenAddress): Promise<ListenAddress[]> {
  try {
    if ('path' in address) {
      await removeStaleSocket(address.path);
      return [await frontend.listen(address)];
    }
    const bound: ListenAddress[] = [];
    let { port } = address;
    for (const host of hostsOf(address.host)) {
      const each = await frontend.listen({ host, port });
      // Where any port would do, all addresses have the same one.
      if ('port' in each) port = each.port;
      bound.push(each);
    }
    return bound;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`can't listen on ${formatAddress(address)}: ${reason}`, { cause: error });
  }
}

function hostsOf(host: string): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  if (host === '') return addresses.some(({ family }) => family === 'IPv6') ? ['::'] : ['0.0.0.0'];
  if (host !== 'localhost') return [host];
  return addresses.some(({ address }) => address === '::1') ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

/** A process that was killed leaves its socket, which nobody answers any more and which is in the way of a new one. */
async function removeStaleSocket(path: string): Promise<void> {
  // Connecting to an ordinary file is refused, too.
  const isSocket = await lstat(path).then(
    (stat) => stat.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const refused = await new Promise<boolean>((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (refused) await unlink(path);
}
