import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../../src/config/config.js';
import type { Store } from '../../src/core/store.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { emptyStore } from '../support/temp.js';
import { maxObjectBytes, type Target } from './store-suite.js';

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
    ...settings,
  });
  const store = await connect(gateway);
  const close = async (): Promise<void> => {
    await store.close();
    await gateway.close();
  };
  return { store, folder, config: await readFile(join(folder, 'CONFIG')), close };
}
