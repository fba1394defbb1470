import { resolvePath } from '../../lib/paths.js';
import type { Backend, OpenOptions } from '../backend.js';
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
};

/** The options of plakar's own SFTP connector take precedence over the settings. */
function sftpOptions({ ssh, user, writable, connector }: OpenOptions): SftpOptions {
  const { identity, insecure_ignore_host_key: insecure } = connector?.options ?? {};
  return {
    ...ssh,
    ...(connector && identity !== undefined && { identities: [resolvePath(identity, connector.surroundings)] }),
    ...(insecure !== undefined && { insecureIgnoreHostKey: insecure === 'true' }),
    env: user.env,
    home: user.home,
    localUser: user.name,
    writable,
  };
}
