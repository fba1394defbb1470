import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BcryptWorker } from '../auth/bcrypt-worker.js';
import { LoginThrottle } from '../auth/throttle.js';
import { filesOf } from '../config/files.js';
import type { Config, ListenerConfig } from '../config/types.js';
import type { ListenAddress } from '../core/address.js';
import type { AccessControl } from '../core/access-control.js';
import { ownEntry, type AuditEntry, type AuditSink } from '../core/audit.js';
import type { Frontend } from '../frontends/frontend.js';
import { GrpcFrontend } from '../frontends/grpc/server.js';
import { adminFrontend } from '../frontends/admin/admin-frontend.js';
import { HttpFrontend } from '../frontends/http/server.js';
import { loggedRequests } from '../observability/request-log.js';
import { CallerLimits } from '../layers/limited.js';
import { ActivatedSockets } from '../net/activation.js';
import { ConnectionCount } from '../net/connection-acceptor.js';
import type { ListenerOptions } from '../net/listener.js';
import { packageFolder, version } from '../lib/package-info.js';
import { announce, announceReload } from './announce.js';
import { CertificateWatch } from './certificate-watch.js';
import type { Gateway, GatewayOptions } from './gateway.js';
import { loosened, prepare, type Generation } from './generation.js';
import { Listeners } from './listeners.js';
import { ProcessMetrics } from '../observability/process-metrics.js';
import { checkAnonymousWriting } from './anonymous-writing.js';
import { Metering } from './metering.js';
import type { NewObjects } from './upkeep/new-objects.js';
import { Observing } from './observing.js';
import { ReadinessCheck, type CheckedStore } from './readiness.js';
import { StorePool } from './stores/store-pool.js';
import { Watching } from './watching.js';

/** How long a TLS handshake may take, in milliseconds. */
const handshakeTimeoutMs = 10_000;

/** How long aborted requests may take to clean up, in milliseconds. */
const cleanUpMs = 1000;

/**
 * Starts a gateway: opens the stores, adds the layers, and starts the frontends. This is where all parts are put together. Fails
 * with a message for the operator, and leaves nothing open.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, log, sessionTimes, shared } = options;
  const metrics = new ProcessMetrics(config.instance);
  const { registry } = metrics;
  const watching = shared === undefined ? await Watching.open({ config, log, registry, sessionTimes }) : undefined;
  const gateway = new RunningGateway(options, metrics, watching);
  try {
    await gateway.reload(config);
  } catch (error) {
    await gateway.close(0);
    throw error;
  }
  return gateway;
}

class RunningGateway implements Gateway {
  private readonly pool: StorePool;
  private readonly bcrypt = new BcryptWorker();
  private readonly throttle = new LoginThrottle({
    now: Date.now,
    onFailure: (address) => this.options.shared?.loginFailed(address),
  });
  private readonly callerLimits: CallerLimits;
  private readonly connections: ConnectionCount;
  private readonly certificate: CertificateWatch;
  private readonly listeners: Listeners;
  private readonly activated: ActivatedSockets;
  private readonly metering: Metering;
  private readonly observing: Observing;
  private readonly frontends: {
    readonly http: HttpFrontend;
    readonly grpc: GrpcFrontend;
    readonly admin: Frontend;
  };
  private generation: Generation | undefined;
  /** While listeners change, new connections wait for the configuration that they belong to. */
  private changing: Promise<unknown> | undefined;
  private closed: Promise<void> | undefined;
  private isStopping = false;
  /** Ends the delay before the gateway stops listening. */
  private readonly hurry = new AbortController();

  constructor(
    private readonly options: GatewayOptions,
    private readonly ownMetrics: ProcessMetrics,
    /** Undefined in a worker, whose primary has it. */
    watching: Watching | undefined,
  ) {
    const { config, log, activated = [], shared } = options;
    const { limits, v10 } = config;
    const observing = (this.observing = new Observing(options, watching));
    const metering = (this.metering = new Metering(ownMetrics, {
      connections: () => this.connections.current,
      certificateExpiresMs: () => this.certificate.expiresMs,
    }));
    const audit: AuditSink = { record: (entry) => this.record(entry) };
    this.pool = new StorePool({
      ...options,
      ...shared,
      sweeps: shared?.isFirst ?? true,
      observerOf: (name) => metering.observerOf(name),
      audit,
      mirrorRead: (...read) => observing.mirrorRead(...read),
    });
    this.callerLimits = new CallerLimits(limits);
    this.connections = new ConnectionCount(limits.maxConnections);
    this.certificate = new CertificateWatch(log);
    this.activated = new ActivatedSockets(activated);
    this.listeners = new Listeners((each) => this.listenerOptions(each));
    const access: AccessControl = {
      login: (peer, authorization) => this.active.access.login(peer, authorization),
      storeOf: (caller, name) => this.active.access.storeOf(caller, name),
    };
    const common = { access, log, limits, observers: [loggedRequests(log), metering.requests, observing.activity] };
    const { registry } = ownMetrics;
    const metrics = (): Promise<string> => shared?.metrics() ?? registry.metrics();
    const health = new ReadinessCheck({
      stores: () => this.checkedStores(),
      isStopping: () => this.isStopping,
      log,
    });
    this.frontends = {
      http: new HttpFrontend({ ...common, v10, health }),
      grpc: new GrpcFrontend({ ...common, version, protoFolder: join(packageFolder, 'proto') }),
      admin: adminFrontend({
        metrics,
        contentType: registry.contentType,
        status: () => observing.status(),
        health,
        access: { check: (peer, request) => this.active.adminAccess.check(peer, request) },
        log,
      }),
    };
  }

  get http(): readonly ListenAddress[] {
    return this.listeners.addressesOf('http');
  }

  get grpc(): readonly ListenAddress[] {
    return this.listeners.addressesOf('grpc');
  }

  get admin(): readonly ListenAddress[] {
    return this.listeners.addressesOf('admin');
  }

  get files(): readonly string[] {
    return this.generation === undefined ? [] : filesOf(this.generation.config);
  }

  async reload(config: Config): Promise<void> {
    const { log } = this.options;
    const { pool, bcrypt, throttle, callerLimits } = this;
    const { activity } = this.observing;
    const previous = this.generation;
    this.observing.check(config);
    const next = await prepare(config, { pool, bcrypt, throttle, callerLimits, activity, log }, previous);
    try {
      await this.certificate.prepare(config.tls);
      if (this.isStopping) throw new Error('the gateway is stopping');
      this.changing = this.listeners.change(config, (all) => checkAnonymousWriting(config, all));
      await this.changing;
    } catch (error) {
      await next.discard(previous);
      throw error;
    } finally {
      this.changing = undefined;
    }
    // Nothing below this line fails.
    this.generation = next;
    this.metering.configure(config, next.auditLog);
    this.observing.configure(config, next.acquired.stores);
    this.callerLimits.setLimits(config.limits);
    this.connections.max = config.limits.maxConnections;
    this.frontends.http.configure(config);
    this.frontends.grpc.configure(config);
    await this.certificate.commit();
    this.observing.certificateExpires(this.certificate.expiresMs);
    this.announce(previous, next);
    // Requests on the previous one get the same grace period as at a stop.
    void previous?.retire(next, config.drainMs);
  }

  async reopenLogs(): Promise<void> {
    await this.generation?.auditLog?.reopen();
  }

  countFailedLogin(address: string): void {
    this.throttle.count(address);
  }

  added(objects: readonly NewObjects[]): void {
    this.observing.added(objects);
  }

  countFailedReload(): void {
    this.ownMetrics.failedReloads.inc();
  }

  metricValues(): Promise<readonly object[]> {
    return this.ownMetrics.registry.getMetricsAsJSON();
  }

  async close(wantedGraceMs?: number): Promise<void> {
    const { http, grpc, admin } = this.frontends;
    const { shutdownDelayMs = 0, drainMs = 0 } = this.generation?.config ?? {};
    const graceMs = wantedGraceMs ?? drainMs;
    this.isStopping = true;
    grpc.announceStop();
    if (wantedGraceMs !== undefined) this.hurry.abort();
    else if (shutdownDelayMs > 0) {
      await sleep(shutdownDelayMs, undefined, { signal: this.hurry.signal }).catch(() => undefined);
    }
    const listening = this.listeners.close();
    // Requests may wait for a store's server that doesn't respond. Closing the store ends them.
    const limit = setTimeout(() => void this.generation?.acquired.release(), graceMs + cleanUpMs);
    await Promise.all([http.close(graceMs), grpc.close(graceMs), this.observing.stop()]);
    // Last, so that health checks see that it stops.
    await admin.close(0);
    clearTimeout(limit);
    this.closed ??= this.closeRest(listening);
    await this.closed;
  }

  private async closeRest(listening: Promise<void>): Promise<void> {
    await listening;
    this.certificate.close();
    await this.generation?.retire();
    await this.bcrypt.close();
    await this.observing.close();
  }

  private checkedStores(): CheckedStore[] {
    const { acquired, config } = this.active;
    return [...acquired.stores].map(([name, opened]) => {
      return { name, opened, isOptional: config.stores.get(name)?.optional === true };
    });
  }

  /** Logs what is served now, and warns if this configuration protects less than the previous one. */
  private announce(previous: Generation | undefined, next: Generation): void {
    const { log, shared } = this.options;
    if (shared?.isFirst === false || (previous === undefined && shared?.isSuccessor === true)) return;
    if (previous !== undefined) announceReload(log, this);
    else announce(log, this, next, this.activated.unclaimed);
    for (const { store, reason } of loosened(previous?.config, next.config)) {
      log.warn({ store }, reason);
      this.record(ownEntry(store, { operation: 'retention', outcome: 'stored', reason }));
    }
  }

  /** Records what the gateway itself did. */
  private record(entry: AuditEntry): void {
    this.generation?.auditLog?.record(entry);
    this.observing.activity.record(entry);
  }

  private get active(): Generation {
    if (this.generation === undefined) throw new Error('there is no configuration yet');
    return this.generation;
  }

  private listenerOptions({ protocol }: ListenerConfig): ListenerOptions {
    const frontend: Frontend = this.frontends[protocol];
    return {
      tls: this.certificate.credentials,
      handshakeTimeoutMs,
      connections: this.connections,
      activated: this.activated,
      unixSockets: this.options.shared?.unixSockets,
      accept: (socket) => {
        if (this.changing === undefined) frontend.accept(socket);
        else void this.changing.catch(() => undefined).then(() => frontend.accept(socket));
      },
      log: this.options.log,
    };
  }
}
