import { join } from 'node:path';
import { BcryptWorker } from '../auth/bcrypt-worker.js';
import { LoginThrottle } from '../auth/throttle.js';
import { filesOf } from '../config/files.js';
import type { Config, ListenerConfig } from '../config/types.js';
import type { ListenAddress } from '../core/address.js';
import type { AccessControl } from '../core/access-control.js';
import type { RequestObserver } from '../core/request.js';
import type { Frontend } from '../frontends/frontend.js';
import { GrpcFrontend } from '../frontends/grpc/server.js';
import { HttpFrontend } from '../frontends/http/server.js';
import { loggedRequests } from '../observability/request-log.js';
import { metricsFrontend } from '../frontends/http/metrics.js';
import { CallerLimits } from '../layers/limited.js';
import { ActivatedSockets } from '../net/activation.js';
import { ConnectionCount } from '../net/connection-acceptor.js';
import type { ListenerOptions } from '../net/listener.js';
import { packageFolder, version } from '../lib/package-info.js';
import { announce, announceReload } from './announce.js';
import { CertificateWatch } from './certificate-watch.js';
import type { Gateway, GatewayOptions } from './gateway.js';
import { prepare, type Generation } from './generation.js';
import { Listeners } from './listeners.js';
import { meteredRequests } from '../observability/metrics.js';
import { ProcessMetrics } from '../observability/process-metrics.js';
import { checkAnonymousWriting } from './anonymous-writing.js';
import { StorePool } from './stores.js';

/** How long a TLS handshake may take, in milliseconds. */
const handshakeTimeoutMs = 10_000;

/** How long aborted requests may take to clean up, in milliseconds. */
const cleanUpMs = 1000;

/**
 * Starts a gateway: opens the stores, adds the layers, and starts the frontends. This is where all parts are put together. Fails
 * with a message for the operator, and leaves nothing open.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new RunningGateway(options);
  try {
    await gateway.reload(options.config);
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
  private readonly ownMetrics = new ProcessMetrics();
  private readonly frontends: {
    readonly http: HttpFrontend;
    readonly grpc: GrpcFrontend;
    readonly metrics: Frontend;
  };
  /** Measuring costs as much as some responses, so it is done only if there is a listener for the metrics. */
  private isMetered = false;
  /** Of audit logs that are no longer in use. */
  private lostAuditEntries = 0;
  private generation: Generation | undefined;
  /** While listeners change, new connections wait for the configuration that they belong to. */
  private changing: Promise<unknown> | undefined;
  private closed: Promise<void> | undefined;
  private isStopping = false;

  constructor(private readonly options: GatewayOptions) {
    const { config, log, activated = [], shared } = options;
    const { limits, v10 } = config;
    this.pool = new StorePool({ ...options, sweeps: shared?.isFirst ?? true });
    this.callerLimits = new CallerLimits(limits);
    this.connections = new ConnectionCount(limits.maxConnections);
    this.certificate = new CertificateWatch(log);
    this.activated = new ActivatedSockets(activated);
    this.listeners = new Listeners((each) => this.listenerOptions(each));
    const metered = meteredRequests(this.ownMetrics, {
      connections: () => this.connections.current,
      certificateExpiresMs: () => this.certificate.expiresMs,
      usedBytes: () => this.generation?.usedBytes() ?? new Map(),
      lostAuditEntries: () => this.lostAuditEntries + (this.generation?.auditLog?.lost ?? 0),
    });
    const access: AccessControl = {
      login: (peer, authorization) => this.active.access.login(peer, authorization),
      storeOf: (caller, name) => this.active.access.storeOf(caller, name),
    };
    const meter: RequestObserver = {
      request: (record, ms) => {
        if (this.isMetered) metered.request(record, ms);
      },
    };
    const common = { access, log, limits, observers: [loggedRequests(log), meter] };
    const { registry } = this.ownMetrics;
    const metrics = (): Promise<string> => shared?.metrics() ?? registry.metrics();
    this.frontends = {
      http: new HttpFrontend({ ...common, v10 }),
      grpc: new GrpcFrontend({ ...common, version, protoFolder: join(packageFolder, 'proto') }),
      metrics: metricsFrontend({ metrics, contentType: registry.contentType, log }),
    };
  }

  get http(): readonly ListenAddress[] {
    return this.listeners.addressesOf('http');
  }

  get grpc(): readonly ListenAddress[] {
    return this.listeners.addressesOf('grpc');
  }

  get metrics(): readonly ListenAddress[] {
    return this.listeners.addressesOf('metrics');
  }

  get files(): readonly string[] {
    return this.generation === undefined ? [] : filesOf(this.generation.config);
  }

  async reload(config: Config): Promise<void> {
    const { log } = this.options;
    const { bcrypt, throttle, callerLimits } = this;
    const previous = this.generation;
    const next = await prepare(config, { pool: this.pool, bcrypt, throttle, callerLimits, log }, previous);
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
    if (previous !== undefined && previous.auditLog !== next.auditLog)
      this.lostAuditEntries += previous.auditLog?.lost ?? 0;
    this.isMetered = config.listeners.some(({ protocol }) => protocol === 'metrics');
    if (this.isMetered) this.ownMetrics.start();
    this.callerLimits.setLimits(config.limits);
    this.connections.max = config.limits.maxConnections;
    this.frontends.http.configure(config);
    this.frontends.grpc.configure(config);
    await this.certificate.commit();
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

  countFailedReload(): void {
    this.ownMetrics.failedReloads.inc();
  }

  metricValues(): Promise<readonly object[]> {
    return this.ownMetrics.registry.getMetricsAsJSON();
  }

  async close(graceMs = this.generation?.config.drainMs ?? 0): Promise<void> {
    const { http, grpc, metrics } = this.frontends;
    this.isStopping = true;
    const listening = this.listeners.close();
    // Requests may wait for a store's server that doesn't respond. Closing the store ends them.
    const limit = setTimeout(() => void this.generation?.acquired.release(), graceMs + cleanUpMs);
    await Promise.all([http.close(graceMs), grpc.close(graceMs), metrics.close(graceMs)]);
    clearTimeout(limit);
    this.closed ??= this.closeRest(listening);
    await this.closed;
  }

  private async closeRest(listening: Promise<void>): Promise<void> {
    await listening;
    this.certificate.close();
    await this.generation?.retire();
    await this.bcrypt.close();
  }

  private announce(previous: Generation | undefined, next: Generation): void {
    const { log, shared } = this.options;
    if (shared?.isFirst === false || (previous === undefined && shared?.isSuccessor === true)) return;
    if (previous !== undefined) announceReload(log, this);
    else announce(log, this, next, this.activated.unclaimed);
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
