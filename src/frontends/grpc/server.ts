import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { StoreService as PlakarStoreService } from '../../../gen/plakar/store.js';
import { StoreServiceService } from '../../../gen/kloset/store/v1/store.js';
import { peerOf } from '../../core/peer.js';
import type { Frontend, FrontendOptions } from '../frontend.js';
import { Pace, type PaceLimits } from '../pace.js';
import { Requests } from '../requests.js';
import { Calls, maxRequestBytes } from './call.js';
import { addHealth } from './health.js';
import { createInjector, type Injector, type InjectorLimits } from './injector.js';
import { addReflection } from './reflection.js';
import { plakarStoreService, type PlakarStoreServiceOptions } from './plakar-store-service.js';
import { storeService } from './store-service.js';

export interface GrpcFrontendOptions extends FrontendOptions {
  /** The gateway's version. */
  readonly version: string;
  /** The folder of the API's proto files, which reflection tells clients. */
  readonly protoFolder: string;
  readonly limits: PaceLimits & InjectorLimits;
}

/** '' stands for the whole server. */
const serviceNames = ['', 'kloset.store.v1.StoreService', 'store.Store'];

// Channelz stays on: without it grpc-js 1.14.7 keeps no list of connections, and forceShutdown() closes none.
const serverOptions = {
  // A client that vanished without a word is noticed within a minute and a half.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.keepalive_permit_without_calls': 1,
  // Of uploads, which have larger messages, call.ts says so.
  'grpc.max_receive_message_length': maxRequestBytes,
};

/** Which store a plakar client's connection is about its Init has said; what the caller has of it is asked anew for each call. */
const openNamed: PlakarStoreServiceOptions['open'] = ({ store }, context) => {
  context.storeOf(store);
  return Promise.resolve(({ storeOf }) => storeOf(store));
};

/** Our gRPC API and plakar's over stores, with health (grpc.health.v1) and reflection beside it. */
export class GrpcFrontend implements Frontend {
  private readonly server = new Server(serverOptions);
  private readonly health: HealthImplementation;
  private readonly requests: Requests;
  private readonly pace: Pace;
  private readonly injector: Injector;
  private readonly sockets = new Set<Socket>();
  private closed: Promise<void> | undefined;

  constructor({ access, log, observers, version, protoFolder, limits }: GrpcFrontendOptions) {
    this.requests = new Requests(observers);
    this.pace = new Pace(limits);
    const { requests, pace } = this;
    const calls = new Calls({ requests, access, peerOf: ({ socket }) => peerOf(socket), pace, log });
    this.server.addService(StoreServiceService, storeService({ calls, version }));
    this.server.addService(PlakarStoreService, plakarStoreService({ open: openNamed, calls }));
    this.health = addHealth(this.server, serviceNames);
    const files = ['kloset/store/v1/store.proto', 'plakar/store.proto'];
    const protos = [...files.map((file) => join(protoFolder, file)), healthProto];
    addReflection(this.server, protos, [protoFolder]);
    this.injector = createInjector(this.server, ServerCredentials.createInsecure(), limits, log);
  }

  /** Takes on other limits, for the calls and connections that come from now on. */
  configure({ limits }: Pick<GrpcFrontendOptions, 'limits'>): void {
    this.pace.limits = limits;
    this.injector.setLimits(limits);
  }

  accept(socket: Socket): void {
    if (this.closed !== undefined) return void socket.destroy();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    this.injector.accept(socket);
  }

  async close(graceMs: number): Promise<void> {
    // Load balancers look elsewhere while what is running here finishes.
    for (const name of serviceNames) this.health.setStatus(name, 'NOT_SERVING');
    this.closed ??= new Promise((resolve) => this.server.tryShutdown(() => resolve()));
    const limit = setTimeout(() => {
      this.server.forceShutdown();
      // Of a connection that was asked to end nothing else is done, and a client may be one that never does.
      for (const socket of this.sockets) socket.destroy();
    }, graceMs);
    await this.closed;
    // Since Node 24 the server counts as closed while connections and their calls go on.
    await this.requests.idle();
    await Promise.all([...this.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    clearTimeout(limit);
  }
}
