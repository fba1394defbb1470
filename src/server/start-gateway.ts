import { join } from 'node:path';
import { BcryptWorker } from '../auth/bcrypt-worker.js';
import { LoginThrottle } from '../auth/throttle.js';
import { filesOf } from '../config/files.js';
import type { Config, ListenerConfig } from '../config/types.js';
import type { ListenAddress } from '../core/address.js';
import type { AccessControl } from '../core/access-control.js';
import type { Frontend } from '../frontends/frontend.js';
import { GrpcFrontend } from '../frontends/grpc/server.js';
import { HttpFrontend } from '../frontends/http/server.js';
import { loggedRequests } from '../observability/request-log.js';
import type { RequestObserver } from '../core/request.js';
import { MetricsFrontend } from '../frontends/metrics/server.js';
import { CallerLimits } from '../layers/caller-limits.js';
import { ActivatedSockets } from '../net/activation.js';
import { ConnectionCount } from '../net/connection-count.js';
import type { Listener, ListenerOptions } from '../net/listener.js';
import { packageFolder, version } from '../lib/package-info.js';
import { announce, announceReload } from './announce.js';
import { CertificateWatch } from './certificate-watch.js';
import type { Gateway, GatewayOptions } from './gateway.js';
import { prepare, type Generation } from './generation.js';
import { Listeners } from './listeners.js';
import { createMetrics, type Metrics } from '../observability/metrics.js';
import { checkOpenWriting } from './open-writing.js';
import { StorePool } from './stores.js';

/** How long a TLS handshake may take, in milliseconds. */
const handshakeTimeoutMs = 10_000;

/** How long requests that were broken off may take to clean up behind them, in milliseconds. */
const cleanUpMs = 1000;

/**
 * Opens the stores, stacks the layers on them and starts every protocol. The one place where everything is put together. Fails
 * with a message for the operator, and with nothing left open.
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
  private readonly metered: Metrics;
  private readonly frontends: {
    readonly http: HttpFrontend;
    readonly grpc: GrpcFrontend;
    readonly metrics: MetricsFrontend;
  };
  /** Counting costs as much as some answers do, so it is left out where nobody can see the result. */
  private readonly meter: RequestObserver = {
    request: (record, ms) => {
      if (this.listeners.has('metrics')) this.metered.meter.request(record, ms);
    },
  };
  private generation: Generation | undefined;
  /** Connections that come while a configuration is being taken on wait for it. */
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
    this.metered = createMetrics({
      connections: () => this.connections.current,
      certificateExpiresMs: () => this.certificate.expiresMs,
      usedBytes: () => this.generation?.usedBytes() ?? new Map(),
    });
    const access: AccessControl = {
      login: (peer, authorization) => this.current.access.login(peer, authorization),
      storeOf: (caller, name) => this.current.access.storeOf(caller, name),
    };
    const observers = [options.accessLog ?? loggedRequests(log), this.meter];
    const about = { access, log, limits, observers };
    this.frontends = {
      http: new HttpFrontend({ ...about, v10 }),
      grpc: new GrpcFrontend({ ...about, version, protoFolder: join(packageFolder, 'proto') }),
      metrics: new MetricsFrontend({ ...this.metered, metrics: () => shared?.metrics() ?? this.metered.text(), log }),
    };
  }

  get http(): readonly ListenAddress[] {
    return this.addressesOf('http');
  }

  get grpc(): readonly ListenAddress[] {
    return this.addressesOf('grpc');
  }

  get metrics(): readonly ListenAddress[] {
    return this.addressesOf('metrics');
  }

  get files(): readonly string[] {
    return this.generation === undefined ? [] : filesOf(this.generation.config);
  }

  async reload(config: Config): Promise<void> {
    const { log } = this.options;
    const { bcrypt, throttle, callerLimits } = this;
    const before = this.generation;
    const next = await prepare(config, { pool: this.pool, bcrypt, throttle, callerLimits, log }, before);
    try {
      await this.certificate.prepare(config.tls);
      if (this.isStopping) throw new Error('the gateway is stopping');
      this.changing = this.listeners.change(config, (all) => checkOpenWriting(config, all));
      await this.changing;
    } catch (error) {
      await next.discard(before);
      throw error;
    } finally {
      this.changing = undefined;
    }
    // From here on nothing fails.
    this.generation = next;
    this.callerLimits.setLimits(config.limits);
    this.connections.max = config.limits.maxConnections;
    this.frontends.http.configure(config);
    this.frontends.grpc.configure(config);
    await this.certificate.commit();
    this.announce(before, next);
    // What still runs on the old one may end as at a stop.
    void before?.retire(next, config.drainMs);
  }

  async reopenLogs(): Promise<void> {
    await this.generation?.trail?.reopen();
  }

  countFailedLogin(address: string): void {
    this.throttle.count(address);
  }

  metricValues(): Promise<readonly object[]> {
    return this.metered.values();
  }

  async close(graceMs = this.generation?.config.drainMs ?? 0): Promise<void> {
    const { http, grpc, metrics } = this.frontends;
    this.isStopping = true;
    const listening = this.listeners.close();
    // What waits for a store's server that doesn't answer would wait on.
    const limit = setTimeout(() => void this.generation?.letGo(), graceMs + cleanUpMs);
    await Promise.all([http.close(graceMs), grpc.close(graceMs), metrics.close()]);
    clearTimeout(limit);
    this.closed ??= this.closeRest(listening);
    await this.closed;
  }

  private async closeRest(listening: Promise<void>): Promise<void> {
    await listening;
    this.certificate.close();
    await this.generation?.end();
    await this.bcrypt.close();
  }

  private announce(before: Generation | undefined, { config, stores }: Generation): void {
    const { log, shared } = this.options;
    if (shared?.isFirst === false || (before === undefined && shared?.isSuccessor === true)) return;
    if (before !== undefined) announceReload(log, this);
    else announce({ log, config, gateway: this, stores, strays: this.activated.strays });
  }

  private get current(): Generation {
    if (this.generation === undefined) throw new Error('a request before there is a configuration');
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

  private addressesOf(protocol: ListenerConfig['protocol']): ListenAddress[] {
    const isOf = ({ config }: Listener): boolean => config.protocol === protocol;
    return this.listeners.current.filter(isOf).flatMap(({ addresses }) => addresses);
  }
}
