import { hasCode, StoreError } from '../core/errors.js';
import { formatLocation, type Location } from '../core/location.js';
import { FileStore, type FileStoreOptions } from './files/file-store.js';
import { LocalFileSystem } from './local/local-file-system.js';

/**
 * Opens the store at a location. Fails with an error whose message is for the operator: it names the location, what was looked
 * for there, and what to do.
 */
export async function openStore(location: Location, options: FileStoreOptions): Promise<FileStore> {
  const files = new LocalFileSystem(location.path);
  try {
    return await FileStore.open(files, options);
  } catch (error) {
    await files.close();
    throw new Error(whyNotOpened(formatLocation(location), StoreError.from(error)), { cause: error });
  }
}

function whyNotOpened(location: string, error: StoreError): string {
  if (hasCode(error, 'not_found')) {
    return (
      `${location} is not a Kloset store: there is no file ${location}/CONFIG. ` +
      `Name a store's folder, or make one there with \`plakar at ${location} create\`.`
    );
  }
  const reason = error.cause instanceof Error ? error.cause.message : error.message;
  return `the store at ${location} can't be opened: ${reason}`;
}
