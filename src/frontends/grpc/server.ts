import type { Server } from '@grpc/grpc-js';
import { type HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Frontend, FrontendOptions } from '../frontend.js';
import type { Http2Limits } from '../http2-sessions.js';
import { Pace, type PaceLimits } from '../pace.js';
import { Requests } from '../requests.js';
import { Calls } from './call.js';
import { addHealth } from './health.js';
import { Http2Connections } from './http2-connections.js';
import { LimitedServer } from './limited-server.js';
import { plakarStoreDefinition, plakarStoreService, type PlakarStoreServiceOptions } from './plakar-store-service.js';
import { addReflection } from './reflection.js';
import { storeService, storeServiceDefinition } from './store-service.js';

export interface GrpcFrontendOptions extends FrontendOptions {
  /** The gateway's version. */
  readonly version: string;
  /** The folder of the API's proto files, for reflection. */
  readonly protoFolder: string;
  readonly limits: PaceLimits & Http2Limits;
}

/** '' stands for the whole server. */
const serviceNames = ['', 'kloset.store.v1.StoreService', 'store.Store'];

// Channelz stays enabled: without it, grpc-js 1.14.7 has no list of connections, and forceShutdown() closes none.
const serverOptions = {
  // Detects within a minute and a half that a client is unreachable.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.keepalive_permit_without_calls': 1,
};

/** A plakar client's Init names the store; the caller's access to it is checked for each call. */
const openNamed: PlakarStoreServiceOptions['open'] = ({ store }, context) => {
  context.storeOf(store);
  return Promise.resolve(({ storeOf }) => storeOf(store));
};

/** The gateway's own gRPC API and plakar's, with health (grpc.health.v1) and reflection. */
export class GrpcFrontend implements Frontend {
  private readonly server: Server = new LimitedServer(serverOptions);
  private readonly health: HealthImplementation;
  private readonly requests: Requests;
  private readonly pace: Pace;
  private readonly connections: Http2Connections;
  private readonly sockets = new Set<Socket>();
  private isClosing = false;

  constructor({ access, log, observers, version, protoFolder, limits }: GrpcFrontendOptions) {
    this.requests = new Requests(observers);
    this.pace = new Pace(limits);
    this.connections = new Http2Connections(this.server, limits, log);
    const { requests, pace, connections } = this;
    const calls = new Calls({ requests, access, originOf: (metadata) => connections.originOf(metadata), pace, log });
    this.server.addService(storeServiceDefinition, storeService({ calls, version }));
    this.server.addService(plakarStoreDefinition, plakarStoreService({ open: openNamed, calls }));
    this.health = addHealth(this.server, serviceNames);
    const files = ['kloset/store/v1/store.proto', 'plakar/store.proto'];
    const protos = [...files.map((file) => join(protoFolder, file)), healthProto];
    addReflection(this.server, protos, [protoFolder]);
  }

  /** Changes the limits, for new calls and connections. */
  configure({ limits }: Pick<GrpcFrontendOptions, 'limits'>): void {
    this.pace.limits = limits;
    this.connections.setLimits(limits);
  }

  accept(socket: Socket): void {
    // A lost connection has had its 'close' event: nothing would remove it again.
    if (this.isClosing || socket.destroyed) return void socket.destroy();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    this.connections.accept(socket);
  }

  /** Has the health service say that the gateway stops, so that load balancers send no further calls here. Calls are still served. */
  announceStop(): void {
    for (const name of serviceNames) this.health.setStatus(name, 'NOT_SERVING');
  }

  async close(graceMs: number): Promise<void> {
    this.announceStop();
    // Its callback is of no use: from Node 24 on it comes while calls are running.
    if (!this.isClosing) this.server.tryShutdown(() => undefined);
    this.isClosing = true;
    const limit = setTimeout(() => {
      this.server.forceShutdown();
      // forceShutdown leaves connections alone that are closing already, and a client may never complete that.
      for (const socket of this.sockets) socket.destroy();
    }, graceMs);
    await Promise.all([...this.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    clearTimeout(limit);
    await this.requests.idle();
  }
}
