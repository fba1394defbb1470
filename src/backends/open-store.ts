import { StoreError } from '../core/errors.js';
import { formatLocation, type Location } from './location.js';
import type { Logger } from '../lib/logger.js';
import type { Store } from '../core/store.js';
import { FileStore, type FileStoreOptions } from './files/file-store.js';
import type { FileSystem } from './files/file-system.js';
import { LocalFileSystem } from './local/local-file-system.js';
import { clientOptions, type UpstreamOptions } from './gateway/options.js';
import { GatewayStore } from './gateway/gateway-store.js';
import { canWrite, isDurable } from './sftp/capabilities.js';
import { openSftp } from './sftp/open-sftp.js';
import type { SftpOptions } from './sftp/options.js';

export interface OpenStoreOptions extends FileStoreOptions {
  /** Whether the store will be written. */
  readonly writable: boolean;
  readonly ssh: Omit<SftpOptions, 'writable'>;
  /** How to log in to another gateway. */
  readonly upstream?: UpstreamOptions;
}

/** A store that is open; one of files may have leftovers to sweep. */
export type OpenedStore = Store & Partial<Pick<FileStore, 'sweep'>>;

/**
 * Opens the store at a location. What its file server can't promise is logged, and the store says it of itself: read-only
 * where it can't be written safely, not durable where it can't be synced. Fails with an error whose message is for the
 * operator: it names the location, what was looked for there, and what to do.
 */
export async function openStore(location: Location, options: OpenStoreOptions, log: Logger): Promise<OpenedStore> {
  try {
    if (location.scheme === 'fs') return await openIn(new LocalFileSystem(location.path), options);
    if (location.scheme !== 'sftp') return await GatewayStore.open(clientOptions(location, options.upstream ?? {}));
    const files = await openSftp(location, { ...options.ssh, writable: options.writable }, log);
    const { capabilities } = files;
    // What can be synced is, also where that is not all.
    const durable = options.durable && capabilities.syncsFiles;
    const limits = { readOnly: !canWrite(capabilities), fullyDurable: isDurable(capabilities) };
    return await openIn(files, { ...options, durable, ...limits });
  } catch (error) {
    throw new Error(whyNotOpened(location, StoreError.from(error)), { cause: error });
  }
}

async function openIn(files: FileSystem, options: FileStoreOptions): Promise<FileStore> {
  try {
    return await FileStore.open(files, options);
  } catch (error) {
    await files.close();
    throw error;
  }
}

function whyNotOpened(location: Location, error: StoreError): string {
  const where = formatLocation(location);
  if (error.code === 'not_found' && !location.scheme.startsWith('grpc')) {
    return (
      `${where} is not a Kloset store: there is no file ${where}/CONFIG. ` +
      `Name a store's folder, or make one there with \`plakar at ${where} create\`.`
    );
  }
  // What a local disk says of itself is in the cause; the SSH backend's messages are for the operator already.
  const { cause } = error;
  const reason = location.scheme === 'fs' && cause instanceof Error ? cause.message : error.message;
  return `the store at ${where} can't be opened: ${reason}`;
}
