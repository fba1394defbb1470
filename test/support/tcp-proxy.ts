import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Link {
  readonly near: Socket;
  readonly far: Socket;
}

/**
 * A network to spoil: a TCP proxy on 127.0.0.1 that delays, or forwards nothing any more without closing anything. With several targets it is a
 * load balancer, which gives each connection to the next one.
 */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private frozen = false;
  /** How many connections were made through it so far. */
  accepted = 0;

  private constructor(
    private readonly server: Server,
    private readonly delayMs: number,
  ) {}

  /** @param delayMs how long each byte is held on its way, in each direction */
  static async start(target: number | readonly number[], delayMs = 0): Promise<TcpProxy> {
    const targets = [target].flat();
    const server = createServer({ allowHalfOpen: true });
    const proxy = new TcpProxy(server, delayMs);
    server.on('connection', (near) => {
      proxy.accept(near, targets[proxy.accepted % targets.length] ?? NaN);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many connections go through it now. */
  get open(): number {
    return this.links.size;
  }

  /** Connections stay open, and nothing gets through: neither theirs nor those of new ones. */
  freeze(): void {
    this.frozen = true;
  }

  /** New connections get through again. What was sent on frozen ones is lost. */
  thaw(): void {
    this.frozen = false;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const { near, far } of this.links) {
      near.destroy();
      far.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(near: Socket, targetPort: number): void {
    this.accepted++;
    const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const link = { near, far };
    this.links.add(link);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('data', (chunk) => {
        this.later(() => to.write(chunk));
      });
      from.on('end', () => {
        this.later(() => to.end());
      });
      from.on('close', () => {
        // While nothing gets through, the other side doesn't learn of it.
        this.later(() => to.destroy());
        if (near.destroyed && far.destroyed) this.links.delete(link);
      });
    }
  }

  private later(work: () => void): void {
    if (this.frozen) return;
    if (this.delayMs === 0) work();
    else setTimeout(work, this.delayMs);
  }
}
