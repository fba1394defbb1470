import { AdminAccess } from '../access/admin-access.js';
import { AuditLog } from '../observability/audit-log.js';
import { Authenticator } from '../auth/authenticator.js';
import type { BcryptWorker } from '../auth/bcrypt-worker.js';
import { grantsOf } from '../access/grants.js';
import { readHtpasswd } from '../auth/htpasswd-file.js';
import type { LoginThrottle } from '../auth/throttle.js';
import type { Config, StoreConfig } from '../config/types.js';
import type { ActivitySink } from '../core/activity.js';
import { formatDuration } from '../lib/format-duration.js';
import type { Logger } from '../lib/logger.js';
import type { CallerLimits } from '../layers/limited.js';
import { StoreAccess } from '../access/store-access.js';
import type { AcquiredStores, StorePool } from './stores/store-pool.js';

/** What all generations share. */
export interface SharedResources {
  readonly pool: StorePool;
  readonly bcrypt: BcryptWorker;
  readonly throttle: LoginThrottle;
  readonly callerLimits: CallerLimits;
  readonly activity: ActivitySink;
  readonly log: Logger;
}

/** Everything that depends on one configuration. It never changes: a reload replaces it as a whole. */
export class Generation {
  constructor(
    readonly config: Config,
    readonly access: StoreAccess,
    readonly adminAccess: AdminAccess,
    /** Shared with the previous generation if both have the same file and instance. */
    readonly auditLog: AuditLog | undefined,
    readonly acquired: AcquiredStores,
  ) {}

  /** Releases the resources of a generation that never became active. */
  async discard(active: Generation | undefined): Promise<void> {
    await this.retire(active);
    if (active !== undefined) configure(active.acquired, active.config);
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
  const { pool, bcrypt, throttle, callerLimits, activity, log } = resources;
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
    const grants = grantsOf(config);
    const access = new StoreAccess({
      authenticator,
      grants,
      stores,
      callerLimits,
      activity: auditLog === undefined ? activity : alsoAudited(activity, auditLog),
    });
    configure(acquired, config);
    const adminAccess = new AdminAccess({ config, authenticator, grants, throttle });
    return new Generation(config, access, adminAccess, auditLog, acquired);
  } catch (error) {
    await acquired.release();
    throw error;
  }
}

/**
 * What a start or a reload takes away of what keeps objects: times that are shorter, and a clock that is trusted. Each a sentence, with the
 * store's name.
 */
export function loosened(
  before: Config | undefined,
  after: Config,
): { readonly store: string; readonly reason: string }[] {
  const trusted = after.trustsClock && before?.trustsClock !== true ? after.stores : new Map<string, StoreConfig>();
  const keeping = [...trusted].filter(([, { retentionMs, trashMs }]) => retentionMs > 0 || trashMs > 0);
  const reason = 'trust-clock is on: retention and the trash go by the clock, whatever the times of states say';
  return [...shortened(before, after), ...keeping.map(([store]) => ({ store, reason }))];
}

function shortened(before: Config | undefined, after: Config): { store: string; reason: string }[] {
  const times = { retention: 'retentionMs', trash: 'trashMs' } as const;
  return [...after.stores].flatMap(([store, now]) => {
    const then = before?.stores.get(store);
    return Object.entries(times).flatMap(([setting, time]) => {
      const [from, to] = [then?.[time] ?? 0, now[time]].map((ms) => (ms === 0 ? '0' : formatDuration(ms)));
      if (then === undefined || now[time] >= then[time]) return [];
      return {
        store,
        reason: `${setting} of ${store === '' ? 'the default store' : store} was shortened from ${from} to ${to}`,
      };
    });
  });
}

/** Applies what a configuration says of stores that may have been open before. */
function configure({ stores }: AcquiredStores, { stores: configs, trustsClock }: Config): void {
  for (const [name, config] of configs) stores.get(name)?.configure({ ...config, trustsClock });
}

function alsoAudited(activity: ActivitySink, auditLog: AuditLog): ActivitySink {
  return {
    record: (entry) => {
      auditLog.record(entry);
      activity.record(entry);
    },
    read: (...args) => activity.read(...args),
  };
}

async function openAuditLog(
  { auditLog: path, instance }: Config,
  previous: Generation | undefined,
  log: Logger,
): Promise<AuditLog | undefined> {
  const isSame = path === previous?.config.auditLog && instance === previous?.config.instance;
  if (isSame) return previous?.auditLog;
  return path === undefined ? undefined : AuditLog.open(path, log, { instance });
}
