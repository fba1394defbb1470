import { hashSync } from 'bcryptjs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../../src/auth/tokens.js';
import type { Settings } from '../../../src/config/config.js';
import type { ClientOptions } from '../../support/client-options.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { listAll } from '../../support/store.js';
import { emptyStore, tempFolder } from '../../support/temp.js';
import { protocols, type Protocol } from './protocols.js';

/** What web-1 and ann log in with. */
export const token = 'kgw_token-of-web-1';
export const password = 'pässword: with a colon';

/** The value of an Authorization header. */
export const basic = (name: string, secret: string): string =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

/** A token as settings have it. */
export const tokenHash = (text: string): string => `sha256:${tokenDigest(text)}`;

/** The protocols whose clients log in each in a way of its own. */
export const clearProtocols = protocols.filter(({ tls, name }) => !tls && !name.startsWith('ReadRanges'));

/** The port at which a protocol is spoken. */
export function portFor({ frontend }: Protocol, { gateway }: TestGateway, index = 0): number {
  return (gateway[frontend][index] as { port: number }).port;
}

/**
 * Starts a gateway of two stores, blue and green: web-1 has a token and may append to blue, ann has a password and may do everything
 * there.
 */
export async function startWithPrincipals(changes: Settings = {}): Promise<TestGateway & { settings: Settings }> {
  const folder = await tempFolder();
  const htpasswd = join(folder, 'htpasswd');
  await writeFile(htpasswd, `ann:${hashSync(password, 4)}\n`, { mode: 0o600 });
  const settings: Settings = {
    stores: { blue: { location: await emptyStore() }, green: { location: await emptyStore() } },
    principals: {
      'web-1': { tokens: [tokenHash(token)], access: { blue: 'append' } },
      ann: { access: { blue: 'full' } },
    },
    htpasswd,
    'audit-log': join(folder, 'audit.log'),
    'min-free-space': 0,
    ...changes,
  };
  const gateway = await startTestGateway(undefined, settings);
  return { ...gateway, settings };
}

/** Lists states with a client that is made for it alone. */
export async function listing(
  protocol: Protocol,
  gateway: TestGateway,
  options: ClientOptions,
  index = 0,
): Promise<string[]> {
  const store = await protocol.connect(portFor(protocol, gateway, index), options);
  try {
    return await listAll(store, 'state');
  } finally {
    await store.close();
  }
}
