import { readHtpasswd } from '../auth/htpasswd-file.js';
import type { OpenOptions } from '../backends/backend.js';
import { openStore } from '../backends/backends.js';
import { readCustomerKey } from '../backends/s3/customer-key.js';
import type { Config, Secret, StoreConfig } from '../config/types.js';
import type { Logger } from '../lib/logger.js';
import { readFirstLine } from '../lib/read-text.js';
import { TlsCredentials } from '../net/tls-credentials.js';

/* What a configuration names outside of itself. */

/** Who opens stores. */
export type StoreUser = Pick<OpenOptions, 'host' | 'user'>;

/** Problems and warnings for the operator. */
export interface Findings {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads the files that a configuration names: certificates, keys, passwords, secrets. They are read in the same way as by `serve`. */
export async function namedFiles({ htpasswd, tls, notify, stores }: Config): Promise<Findings> {
  const warnings: string[] = [];
  const customerKeys = new Set([...stores.values()].flatMap(({ s3 }) => s3?.sseCustomerKeyFile ?? []));
  const read = [
    htpasswd && readHtpasswd(htpasswd),
    tls && TlsCredentials.load(tls),
    ...notify.webhooks.map(({ secret }) => checkSecretFile('the secret', secret)),
    checkSecretFile('the password', notify.mail?.password),
    ...[...stores.values()].map(({ mirror }) => mirror?.tokenFile && readFirstLine('the token', mirror.tokenFile)),
    ...[...customerKeys].map((file) => readCustomerKey(file, (warning) => warnings.push(warning))),
  ];
  const problems = messagesOf(await Promise.allSettled(read)).flatMap((message) => message.split('\n'));
  return { problems, warnings };
}

/**
 * Opens the stores in S3, read-only: whether keys, bucket, region and clock are right is up to the service. Where a store is optional,
 * problems are only warnings, as they are for `serve`.
 */
export async function storesInS3(
  { stores, durable, limits, ssh }: Config,
  { host, user }: StoreUser,
): Promise<Findings> {
  const problems: string[] = [];
  const warnings: string[] = [];
  const warn = (_: object, message: string): void => void warnings.push(message);
  const log: Logger = { info: () => undefined, warn, error: warn };
  const { maxObjectBytes } = limits;
  const check = async ({ location, s3, optional, trashMs, retentionMs }: StoreConfig): Promise<void> => {
    if (location === 'sample' || s3 === undefined) return;
    const locks = s3.objectLock !== undefined && { retentionMs };
    const options = { s3, ssh, durable, maxObjectBytes, host, user, writable: false, trashes: trashMs > 0, ...locks };
    const results = await Promise.allSettled([openStore(location, options, log).then((store) => store.close())]);
    (optional ? warnings : problems).push(...messagesOf(results));
  };
  await Promise.all([...stores.values()].map(check));
  return { problems, warnings };
}

function messagesOf(results: readonly PromiseSettledResult<unknown>[]): string[] {
  return results.flatMap((each) => (each.status === 'rejected' ? [String((each.reason as Error).message)] : []));
}

async function checkSecretFile(what: string, secret: Secret | undefined): Promise<void> {
  if (secret !== undefined && 'file' in secret) await readFirstLine(what, secret.file);
}
