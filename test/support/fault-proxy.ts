import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Exchange } from './fault-exchange.js';
import { parseS3Request, type S3Operation, type S3Request } from './s3-request.js';

/** What happens to a request instead of being forwarded. Those that there are come from faults.ts. */
export type Fault = (exchange: Exchange) => Promise<void>;

/** A fault that some requests meet. */
export interface Spoiled {
  /** How many requests met it so far. */
  readonly hits: number;
  /** Resolves when the first one did. */
  readonly hit: Promise<void>;
}

interface Rule {
  readonly matches: (request: S3Request) => boolean;
  readonly fault: Fault;
  skip: number;
  times: number;
  hits: number;
  readonly onHit: () => void;
}

/**
 * A network and a service to spoil: an HTTP proxy on 127.0.0.1 before an S3 server. It forwards requests as they are, their `Host` included,
 * as signatures cover it.
 */
export class FaultProxy {
  /** Every request so far, in the order in which they came. */
  readonly requests: S3Request[] = [];
  private rules: Rule[] = [];
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {}

  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const proxy = new FaultProxy(server, targetPort);
    server.on('request', (request, response) => {
      void proxy.handle(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many requests of an operation there were so far. */
  count(operation: S3Operation): number {
    return this.requests.filter((request) => request.operation === operation).length;
  }

  /**
   * Has a fault meet requests from now on. Of several rules, the one that was made last counts.
   *
   * @param what which requests
   * @param how.skip how many of them are forwarded before
   * @param how.times how many of them meet it; the others are forwarded. Default: 1
   */
  spoil(
    what: S3Operation | ((request: S3Request) => boolean),
    fault: Fault,
    how: { readonly skip?: number; readonly times?: number } = {},
  ): Spoiled {
    const matches = typeof what === 'function' ? what : ({ operation }: S3Request): boolean => operation === what;
    let onHit = (): void => undefined;
    const hit = new Promise<void>((resolve) => (onHit = resolve));
    const rule = { matches, fault, skip: how.skip ?? 0, times: how.times ?? 1, hits: 0, onHit, hit };
    this.rules.unshift(rule);
    return rule;
  }

  /** Forwards everything again, and forgets the requests so far. */
  heal(): void {
    this.rules = [];
    this.requests.length = 0;
  }

  /** Cuts all connections, and stops. */
  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
    this.agent.destroy();
  }

  private async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = parseS3Request(incoming);
    this.requests.push(request);
    const exchange = new Exchange(request, { incoming, response, agent: this.agent, port: this.targetPort });
    const fault = this.faultOf(request);
    try {
      await (fault === undefined ? exchange.forward() : fault(exchange));
    } catch {
      // The client or the server is gone: the other side learns of it as it would from the network.
      exchange.cut();
    }
  }

  private faultOf(request: S3Request): Fault | undefined {
    for (const rule of this.rules) {
      if (rule.times === 0 || !rule.matches(request)) continue;
      if (rule.skip > 0) {
        rule.skip--;
        return undefined;
      }
      rule.times--;
      rule.hits++;
      rule.onHit();
      return rule.fault;
    }
    return undefined;
  }
}
