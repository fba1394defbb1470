import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatAddress } from '../../src/core/address.js';
import type { Session } from '../../src/watch/session.js';
import type { Status } from '../../src/watch/status.js';
import type { TestGateway } from '../support/gateway.js';
import { eventually } from '../support/store.js';

/* What a gateway with an admin listener tells of its clients, and what there is in the store's folder to compare it with. */

/** What its admin listener has at a path. */
export async function admin({ gateway }: TestGateway, path: string): Promise<string> {
  const [address] = gateway.admin;
  if (address === undefined) throw new Error('there is no admin listener');
  const answer = await fetch(`http://${formatAddress(address)}${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.text();
}

export async function statusOf(gateway: TestGateway): Promise<Status> {
  return JSON.parse(await admin(gateway, '/api/status')) as Status;
}

/** The sessions that have ended, the oldest first, once the gateway has seen all that a client did, and none is open. */
export async function endedSessions(
  gateway: TestGateway,
  hasSeenAll: (status: Status) => boolean,
): Promise<readonly Session[]> {
  return eventually(async () => {
    const status = await statusOf(gateway);
    return status.openSessions.length === 0 && hasSeenAll(status) && status.sessions.toReversed();
  }, 'all sessions have ended');
}

/** The packfiles and states in a store's folder, by path, with their sizes in bytes. */
export function objectsIn(store: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const kind of ['packfiles', 'states']) {
    for (const name of readdirSync(join(store, kind), { encoding: 'utf8', recursive: true })) {
      if (/^[0-9a-f]{64}$/.test(basename(name))) sizes.set(`${kind}/${name}`, statSync(join(store, kind, name)).size);
    }
  }
  return sizes;
}

export type Added = Pick<Session, 'newObjects' | 'newBytes'>;

/** How many of a store's objects were not there earlier, and their bytes. */
export function addedTo(store: string, earlier: ReadonlyMap<string, number>, kind = ''): Added {
  const added = [...objectsIn(store)].filter(([path]) => path.startsWith(kind) && !earlier.has(path));
  return { newObjects: added.length, newBytes: added.reduce((sum, [, bytes]) => sum + bytes, 0) };
}
