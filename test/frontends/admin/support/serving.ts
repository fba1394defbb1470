import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { AdminAccessControl } from '../../../../src/core/admin-access-control.js';
import type { Peer } from '../../../../src/core/caller.js';
import { setPeer } from '../../../../src/core/peer.js';
import { adminFrontend } from '../../../../src/frontends/admin/admin-frontend.js';
import type { Frontend, Readiness } from '../../../../src/frontends/frontend.js';
import type { Status } from '../../../../src/watch/status.js';
import { quietStatus } from './status.js';

/** An admin frontend on a free port of 127.0.0.1. What is set here is in force for the next request or connection. */
export class ServedAdmin {
  status: Status = quietStatus();
  peer: Peer = { listener: 'admin', address: '127.0.0.1' };
  access: AdminAccessControl = { check: async () => undefined };
  readonly health = { isStopping: false, readiness: async (): Promise<Readiness> => this.readiness };
  readiness: Readiness = { isReady: true, stores: [] };
  /** Whether new connections speak HTTP/2, as if that had been negotiated. */
  isHttp2 = false;
  /** The errors that it logged. */
  readonly errors: string[] = [];
  private readonly frontend: Frontend;
  private readonly server: Server;

  private constructor() {
    this.frontend = adminFrontend({
      metrics: async () => 'some_metric 1\n',
      contentType: 'text/plain; version=0.0.4',
      status: async () => this.status,
      health: this.health,
      access: { check: (peer, request) => this.access.check(peer, request) },
      log: { info: () => undefined, warn: () => undefined, error: (_, message) => this.errors.push(message) },
    });
    this.server = createServer((socket) => {
      socket.on('error', () => undefined);
      setPeer(socket, this.peer);
      if (this.isHttp2) Object.defineProperty(socket, 'alpnProtocol', { value: 'h2' });
      this.frontend.accept(socket);
    });
  }

  static async start(): Promise<ServedAdmin> {
    const served = new ServedAdmin();
    served.server.listen(0, '127.0.0.1');
    await once(served.server, 'listening');
    return served;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.server.close();
    await this.frontend.close(0);
  }
}
