import type { OpenedStore, OpenOptions } from '../../src/backends/backend.js';
import { s3 } from '../../src/backends/s3/backend.js';
import { parseS3Location } from '../../src/backends/s3/location.js';
import { host, silent, startTestGateway, type TestGateway } from './gateway.js';
import type { Settings } from '../../src/config/config.js';
import type { S3Server } from './s3-server.js';

const MiB = 1024 * 1024;

/**
 * Opens a store in a server's bucket, for writing.
 *
 * @param how.port of a proxy before the server
 */
export async function openS3Store(
  server: S3Server,
  prefix: string,
  { port, ...options }: Partial<OpenOptions> & { readonly port?: number } = {},
): Promise<OpenedStore> {
  const location = parseS3Location(server.location(prefix, port));
  const more = {
    writable: true,
    durable: true,
    maxObjectBytes: 64 * MiB,
    minFreeBytes: 0,
    host,
    trashes: false,
    retentionMs: 0,
    user: { name: 'operator', home: '/nonexistent', env: server.env },
    ssh: { identities: [], knownHosts: [], sshConfig: 'none' } as never,
    s3: server.s3Settings,
    ...options,
  };
  return s3.open(location, more, silent);
}

/** A gateway in front of a store in a server's bucket, where everything is allowed. */
export async function startS3Gateway(
  server: S3Server,
  prefix: string,
  { port, ...settings }: Settings & { readonly port?: number } = {},
): Promise<TestGateway> {
  const all = { ...server.settings, 'allow-delete': true, ...settings };
  return startTestGateway(server.location(prefix, port), all, { env: server.env });
}
