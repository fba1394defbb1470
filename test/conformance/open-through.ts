import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../../src/config/config.js';
import type { Store } from '../../src/core/store.js';
import { Authority } from '../support/certificate.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { emptyStore } from '../support/temp.js';
import { maxObjectBytes, type Target } from './target.js';

/** The settings of a store that keeps what arrives, for a moment, and what is deleted. Its client is a PatientStore. */
export const undoable: Settings = { retention: '1ms', trash: '14d' };

/** A folder, as such a store. */
export const withUndo = (folder: string): { location: string; settings: Settings } => ({
  location: folder,
  settings: undoable,
});

/**
 * A gateway with full access to an empty store, and a client of it.
 *
 * @param locate the location that the gateway is given for the store in a folder, and settings that go with it
 */
export async function openThrough(
  connect: (gateway: TestGateway) => Store | Promise<Store>,
  locate = (folder: string): { location: string; settings?: Settings } => ({ location: folder }),
): Promise<Target> {
  const folder = await emptyStore();
  const { location, settings } = locate(folder);
  const gateway = await startTestGateway(location, {
    'allow-delete': true,
    'max-object-size': String(maxObjectBytes),
    'min-free-space': 0,
    ...settings,
  });
  const store = await connect(gateway);
  const close = async (): Promise<void> => {
    await store.close();
    await gateway.close();
  };
  return { store, folder, config: await readFile(join(folder, 'CONFIG')), close };
}

/** Made once: it takes two processes of OpenSSL. */
let certificate: Promise<{ ca: Buffer; certFile: string; keyFile: string }> | undefined;

/** The same with HTTP over TLS. */
export async function openThroughTls(connect: (gateway: TestGateway, ca: Buffer) => Store): Promise<Target> {
  const { ca, certFile, keyFile } = await (certificate ??= makeCertificate());
  const settings = {
    cert: certFile,
    key: keyFile,
    listen: [{ name: 'tls', address: '127.0.0.1:0', tls: true }],
    'grpc-listen': [],
  };
  return openThrough(
    (gateway) => connect(gateway, ca),
    (location) => ({ location, settings }),
  );
}

async function makeCertificate(): NonNullable<typeof certificate> {
  const authority = await Authority.create();
  return { ca: authority.cert, ...(await authority.issue()) };
}
