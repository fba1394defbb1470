import { AuditLog } from '../observability/audit-log.js';
import { Authenticator } from '../auth/authenticator.js';
import type { BcryptWorker } from '../auth/bcrypt-worker.js';
import { grantsOf } from '../access/grants.js';
import { readHtpasswd } from '../auth/htpasswd-file.js';
import type { LoginThrottle } from '../auth/throttle.js';
import type { Config } from '../config/types.js';
import type { Logger } from '../lib/logger.js';
import type { CallerLimits } from '../layers/caller-limits.js';
import { StoreAccess } from '../access/store-access.js';
import type { Lease, OpenStore, StorePool } from './stores.js';

/** What outlives each configuration. */
export interface Lasting {
  readonly pool: StorePool;
  readonly bcrypt: BcryptWorker;
  readonly throttle: LoginThrottle;
  readonly callerLimits: CallerLimits;
  readonly log: Logger;
}

/** What one configuration came to: complete, and never changed. The next one takes its place as a whole. */
export class Generation {
  constructor(
    readonly config: Config,
    readonly access: StoreAccess,
    /** Shared with the one before, where both have the same file. */
    readonly trail: AuditLog | undefined,
    private readonly lease: Lease,
  ) {}

  /** By name. */
  get stores(): ReadonlyMap<string, OpenStore> {
    return this.lease.stores;
  }

  /** Of the stores with a quota, in bytes by name. */
  usedBytes(): ReadonlyMap<string, number> {
    const all = [...this.stores].map(([name, { usedBytes }]) => [name, usedBytes()] as const);
    return new Map(all.filter((entry): entry is [string, number] => entry[1] !== undefined));
  }

  /** Lets go of what a configuration took that didn't come into force. */
  async discard(inForce: Generation | undefined): Promise<void> {
    await this.lease.end(0);
    if (this.trail !== inForce?.trail) await this.trail?.close();
    for (const [name, { quotaBytes }] of inForce?.config.stores ?? []) inForce?.stores.get(name)?.setQuota(quotaBytes);
  }

  /** Lets go of it in `afterMs` milliseconds, keeping what its successor has as well. */
  async retire(successor: Generation, afterMs: number): Promise<void> {
    await this.lease.end(afterMs);
    if (this.trail !== successor.trail) await this.trail?.close(successor.trail);
  }

  /** Lets go of the stores, whatever goes on in them. */
  async letGo(): Promise<void> {
    await this.lease.end(0);
  }

  /** Lets go of everything. */
  async end(): Promise<void> {
    await this.letGo();
    await this.trail?.close();
  }
}

/** Makes a generation of a configuration. Fails with a message for the operator, and with nothing left open. */
export async function prepare(config: Config, lasting: Lasting, before: Generation | undefined): Promise<Generation> {
  const { pool, bcrypt, throttle, callerLimits, log } = lasting;
  const htpasswd =
    config.htpasswd === undefined ? undefined : await readHtpasswd(config.htpasswd, (warning) => log.warn({}, warning));
  const authenticator = new Authenticator({
    principals: config.principals,
    htpasswd,
    throttle,
    comparePassword: (password, hash) => bcrypt.compare(password, hash),
    now: Date.now,
  });
  const lease = await pool.lease(config);
  try {
    const auditLog = await trailOf(config, before, log);
    const { stores } = lease;
    const access = new StoreAccess({ authenticator, grants: grantsOf(config), stores, callerLimits, auditLog });
    for (const [name, { quotaBytes }] of config.stores) stores.get(name)?.setQuota(quotaBytes);
    return new Generation(config, access, auditLog, lease);
  } catch (error) {
    await lease.end(0);
    throw error;
  }
}

async function trailOf(
  { auditLog }: Config,
  before: Generation | undefined,
  log: Logger,
): Promise<AuditLog | undefined> {
  if (auditLog === before?.config.auditLog) return before?.trail;
  return auditLog === undefined ? undefined : AuditLog.open(auditLog, log);
}
