import { AuditLog } from '../observability/audit-log.js';
import { Authenticator } from '../auth/authenticator.js';
import type { BcryptWorker } from '../auth/bcrypt-worker.js';
import { grantsOf } from '../access/grants.js';
import { readHtpasswd } from '../auth/htpasswd-file.js';
import type { LoginThrottle } from '../auth/throttle.js';
import type { Config } from '../config/types.js';
import type { Logger } from '../lib/logger.js';
import type { CallerLimits } from '../layers/limited.js';
import { StoreAccess } from '../access/store-access.js';
import type { AcquiredStores, StorePool } from './stores.js';

/** What all generations share. */
export interface SharedResources {
  readonly pool: StorePool;
  readonly bcrypt: BcryptWorker;
  readonly throttle: LoginThrottle;
  readonly callerLimits: CallerLimits;
  readonly log: Logger;
}

/** Everything that depends on one configuration. It never changes: a reload replaces it as a whole. */
export class Generation {
  constructor(
    readonly config: Config,
    readonly access: StoreAccess,
    /** Shared with the previous generation if both have the same file. */
    readonly auditLog: AuditLog | undefined,
    readonly acquired: AcquiredStores,
  ) {}

  /** The bytes in stores with a quota, by name. */
  usedBytes(): ReadonlyMap<string, number> {
    const all = [...this.acquired.stores].map(([name, { usedBytes }]) => [name, usedBytes()] as const);
    return new Map(all.filter((entry): entry is [string, number] => entry[1] !== undefined));
  }

  /** Releases the resources of a generation that never became active. */
  async discard(active: Generation | undefined): Promise<void> {
    await this.retire(active);
    for (const [name, { quotaBytes }] of active?.config.stores ?? [])
      active?.acquired.stores.get(name)?.setQuota(quotaBytes);
  }

  /** Releases its resources after a grace period, in milliseconds, except for those that its successor has as well. */
  async retire(successor?: Generation, graceMs = 0): Promise<void> {
    await this.acquired.release(graceMs);
    if (this.auditLog !== successor?.auditLog) await this.auditLog?.close(successor?.auditLog);
  }
}

/** Makes the generation of a configuration. Fails with a message for the operator, and leaves nothing open. */
export async function prepare(
  config: Config,
  resources: SharedResources,
  previous: Generation | undefined,
): Promise<Generation> {
  const { pool, bcrypt, throttle, callerLimits, log } = resources;
  const htpasswd =
    config.htpasswd === undefined ? undefined : await readHtpasswd(config.htpasswd, (warning) => log.warn({}, warning));
  const authenticator = new Authenticator({
    principals: config.principals,
    htpasswd,
    throttle,
    comparePassword: (password, hash) => bcrypt.compare(password, hash),
    now: Date.now,
  });
  const acquired = await pool.acquire(config);
  try {
    const auditLog = await openAuditLog(config, previous, log);
    const { stores } = acquired;
    const access = new StoreAccess({ authenticator, grants: grantsOf(config), stores, callerLimits, auditLog });
    for (const [name, { quotaBytes }] of config.stores) stores.get(name)?.setQuota(quotaBytes);
    return new Generation(config, access, auditLog, acquired);
  } catch (error) {
    await acquired.release();
    throw error;
  }
}

async function openAuditLog(
  { auditLog: path }: Config,
  previous: Generation | undefined,
  log: Logger,
): Promise<AuditLog | undefined> {
  if (path === previous?.config.auditLog) return previous?.auditLog;
  return path === undefined ? undefined : AuditLog.open(path, log);
}
