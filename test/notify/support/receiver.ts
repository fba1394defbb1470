import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a request is answered: with a status, with nothing ever, or by a broken connection. */
export type Answer = number | 'nothing' | 'broken';

/** An HTTP server that keeps what it takes. */
export class Receiver {
  /** The requests that it answered with a 2xx, or not at all. */
  readonly taken: Received[] = [];
  /** How many requests it didn't take. */
  refused = 0;
  /** May be replaced. */
  answer: (request: Received) => Answer | Promise<Answer> = () => 204;
  private readonly server: Server = createServer((request, response) => void this.serve(request, response));

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await once(receiver.server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The ids of the events that it has taken, in their order. */
  get ids(): string[] {
    return this.taken.map(({ body }) => (JSON.parse(body) as { id: string }).id);
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url: path, headers } = request;
    const received = { method, path, headers, body: await text(request) };
    const answer = await this.answer(received);
    if (answer === 'broken') {
      this.refused++;
      response.destroy();
    } else if (answer === 'nothing') this.taken.push(received);
    else {
      if (answer < 300) this.taken.push(received);
      else this.refused++;
      response.writeHead(answer, answer < 400 && answer >= 300 ? { location: '/elsewhere' } : {}).end();
    }
  }
}
