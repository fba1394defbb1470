import { tokenDigest } from '../../../src/auth/tokens.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { HttpStore } from '../../support/http-store.js';
import { header, newRef } from '../../support/objects.js';
import { putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';
import { fingerprint } from './folders.js';

/** The store of the one who tries. */
export const own = 'teams/blue';

/** Those of others: the default one, and some whose names are like it. */
export const others = ['', 'teams', 'teams/blue-2', 'teams/blue/old', 'Teams/Blue', 'blue', 'teams/bl', 'teams/green'];

/** Ways to write another's store. */
export const escapes = [
  ...others.filter((name) => name !== ''),
  'teams/blue/../green',
  'teams/blue/..%2fgreen',
  'teams/blue/%2e%2e/green',
  'teams/blue/%2e%2e%2Fgreen',
  'teams/blue/../../blue',
  'teams/blue/..',
  '../teams/green',
  './teams/green',
  'teams/./green',
  'teams//green',
  '/teams/green',
  '//teams/green',
  'teams/blue//teams/green',
  'teams\\green',
  'teams/blue\\..\\green',
  'teams/blue%5c..%5cgreen',
  'teams%2Fgreen',
  'teams%252Fgreen',
  'teams/green%00',
  'teams/blue%00/../green',
  'teams/green%20',
  'teams/green;teams/blue',
  'TEAMS/GREEN',
  'teams/BLUE',
  'teams/blu',
  'teams/blue.',
  'teams/gr\u0435en',
  'teams/gr%d0%b5en',
  'teams/\uff47reen',
  'teams/%ef%bd%87reen',
  'teams/blue%E2%80%8B',
  'teams/%c0%ae%c0%ae/teams/green',
  '@1m',
  'teams/green@1m',
  'teams/green%401m',
  'teams/blue@1m/../green',
  'teams/blue@1m/teams/green',
  'teams/blue@teams/green',
  '*',
  '__proto__',
  'constructor',
];

/** Logs the one in who may do everything with `own`. */
export const authorization = 'Bearer blue-token';

/** The bytes that a store has under the one MAC that is in all of them. */
export function keptIn(name: string): Buffer {
  return Buffer.concat([header('packfile'), Buffer.from(`kept in the store ${JSON.stringify(name)}`.padEnd(100))]);
}

/** A gateway of many stores. */
export interface Tenants {
  readonly gateway: TestGateway;
  /** An object that all of them have, each with other bytes. */
  readonly ref: ObjectRef;
  /** Every byte of the others' stores. */
  printsOfOthers(): Promise<Record<string, unknown>>;
}

export async function startTenants(): Promise<Tenants> {
  const folders = new Map<string, string>();
  for (const name of [own, ...others]) folders.set(name, await emptyStore());
  const gateway = await startTestGateway(undefined, {
    stores: Object.fromEntries([...folders].map(([name, location]) => [name, { location }])),
    principals: {
      blue: { tokens: [`sha256:${tokenDigest('blue-token')}`], access: { [own]: 'full' } },
      everyone: { tokens: [`sha256:${tokenDigest('all-token')}`], access: { '*': 'full' } },
    },
  });
  const ref = newRef('packfile');
  for (const store of folders.keys()) {
    const client = new HttpStore(gateway.httpPort, { store, authorization: 'Bearer all-token' });
    await putAll(client, ref, keptIn(store));
    await client.close();
  }
  return {
    gateway,
    ref,
    printsOfOthers: async () => {
      const prints: Record<string, unknown> = {};
      for (const name of others) prints[name] = fingerprint(folders.get(name) ?? '');
      return prints;
    },
  };
}
