import { resolvePath } from '../../lib/paths.js';
import type { Backend, OpenOptions } from '../backend.js';
import { makeConfig, makeFolders } from '../files/creation.js';
import { FileStore } from '../files/file-store.js';
import { canWrite, isDurable } from './capabilities.js';
import { form, formatSftpLocation, parseSftpLocation, withConnectorOptions, type SftpLocation } from './location.js';
import { openSftp } from './open-sftp.js';
import type { SftpOptions } from './options.js';

/** Stores on SSH servers. */
export const sftp: Backend<SftpLocation> = {
  schemes: ['sftp'],
  form,
  parse: parseSftpLocation,
  format: formatSftpLocation,
  withConnectorOptions,

  /** What the server can't guarantee is logged, and makes the store read-only or not durable. */
  async open(location, options, log) {
    const files = await openSftp(location, sftpOptions(options), log);
    const { capabilities } = files;
    return FileStore.open(files, {
      ...options,
      // Syncs what can be synced, even if that isn't everything.
      durable: options.durable && capabilities.syncsFiles,
      readOnly: !canWrite(capabilities),
      fullyDurable: isDurable(capabilities),
    });
  },

  /** Only once the folders are there can be found out how the server creates names. */
  async create(location, config, options, log) {
    const sftp = sftpOptions(options);
    const bare = await openSftp(location, { ...sftp, writable: false, makesFolder: true }, silentLog);
    await makeFolders(bare, options).finally(() => bare.close());
    const files = await openSftp(location, sftp, log);
    const { syncsFiles } = files.capabilities;
    await makeConfig(files, config, { ...options, durable: options.durable && syncsFiles }).finally(() =>
      files.close(),
    );
  },
};

/** What the server lacks is told once, by the connection that makes CONFIG. */
const silentLog = { info: () => undefined, warn: () => undefined };

/** The options of plakar's own SFTP connector take precedence over the settings. */
function sftpOptions({ ssh, user, writable, onReconnect, connector }: OpenOptions): SftpOptions {
  const { identity, insecure_ignore_host_key: insecure } = connector?.options ?? {};
  return {
    ...ssh,
    ...(connector && identity !== undefined && { identities: [resolvePath(identity, connector.surroundings)] }),
    ...(insecure !== undefined && { insecureIgnoreHostKey: insecure === 'true' }),
    env: user.env,
    home: user.home,
    localUser: user.name,
    writable,
    ...(onReconnect && { onReconnect }),
  };
}
