import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import { join } from 'node:path';
import { StoreService as PlakarStoreService } from '../../../gen/plakar/store.js';
import { StoreServiceService } from '../../../gen/kloset/store/v1/store.js';
import { formatAddress, type ListenAddress } from '../../core/address.js';
import type { Frontend, FrontendOptions } from '../frontend.js';
import { Requests } from '../requests.js';
import { Calls } from './call.js';
import { reflectionService } from './reflection.js';
import { plakarStoreService } from './plakar-store-service.js';
import { storeService } from './store-service.js';

export interface GrpcFrontendOptions extends FrontendOptions {
  /** The gateway's version. */
  readonly version: string;
  /** The folder of the API's proto files, which reflection tells clients. */
  readonly protoFolder: string;
}

const serviceNames = ['kloset.store.v1.StoreService', 'store.Store'];

// Channelz stays on: without it grpc-js 1.14.7 keeps no list of connections, and forceShutdown() closes none.
const serverOptions = {
  'grpc.max_concurrent_streams': 1000,
  // A client that vanished without a word is noticed within a minute and a half.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.keepalive_permit_without_calls': 1,
};

/** Our gRPC API and plakar's over a store, with health (grpc.health.v1) and reflection beside it. */
export class GrpcFrontend implements Frontend {
  private readonly server = new Server(serverOptions);
  private readonly health = new HealthImplementation({ '': 'SERVING' });
  private readonly requests: Requests;
  private closed: Promise<void> | undefined;

  constructor({ storeOf, log, version, protoFolder }: GrpcFrontendOptions) {
    this.requests = new Requests(log);
    const calls = new Calls(this.requests, log);
    this.server.addService(StoreServiceService, storeService({ storeOf, calls, version }));
    const open = ({ store }: { store: string }) => Promise.resolve(storeOf(store));
    this.server.addService(PlakarStoreService, plakarStoreService({ open, calls }));
    for (const name of serviceNames) this.health.setStatus(name, 'SERVING');
    this.health.addToServer(this.server);
    const files = ['kloset/store/v1/store.proto', 'plakar/store.proto'];
    const protos = [...files.map((file) => join(protoFolder, file)), healthProto];
    reflectionService(protos, [protoFolder]).addToServer(this.server);
  }

  listen(address: ListenAddress): Promise<ListenAddress> {
    return new Promise((resolve, reject) => {
      this.server.bindAsync(formatAddress(address), ServerCredentials.createInsecure(), (error, port) => {
        if (error !== null) reject(error);
        else resolve('path' in address ? address : { ...address, port });
      });
    });
  }

  async close(graceMs: number): Promise<void> {
    // Load balancers look elsewhere while what is running here finishes.
    for (const name of ['', ...serviceNames]) this.health.setStatus(name, 'NOT_SERVING');
    this.closed ??= new Promise((resolve) => this.server.tryShutdown(() => resolve()));
    const limit = setTimeout(() => this.server.forceShutdown(), graceMs);
    await this.closed;
    clearTimeout(limit);
    await this.requests.idle();
  }
}
