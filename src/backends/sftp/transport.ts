import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { ConnectFailure } from './status.js';
import type { Proxy, Target } from './target.js';

/** What an SSH connection runs over. */
export interface Transport {
  readonly stream: Duplex;
  /** How many bytes were received so far: they are the sign of life. */
  receivedBytes(): number;
  /**
   * Ends it at once, and for good: what wasn't sent yet is never sent. A request of a connection that was given up must not
   * reach the server later, when it was long repeated on another one.
   */
  destroy(): void;
}

/** Opens a TCP connection, or starts the proxy. Fails with a ConnectFailure of kind `unreachable`. */
export async function openTransport(
  { host, port, proxy }: Target,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Transport> {
  return proxy === undefined ? tcp(host, port, signal) : startProxy(proxy, env);
}

async function tcp(host: string, port: number, signal: AbortSignal): Promise<Transport> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal });
  } catch (error) {
    socket.destroy();
    const reason = signal.aborted ? 'no answer in time' : causeText(error);
    throw new ConnectFailure('unreachable', `${host} port ${port} can't be reached: ${reason}`, { cause: error });
  }
  // Small requests must not wait for the acknowledgement of earlier ones: that made reads take 46 ms instead of 0.1.
  socket.setNoDelay(true);
  const destroy = (): void => {
    // Where ssh2 has ended it already, a reset is refused, and the socket would stay open for ever.
    if (socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
  };
  return { stream: socket, receivedBytes: () => socket.bytesRead, destroy };
}

function startProxy(proxy: Proxy, env: Readonly<Record<string, string | undefined>>): Transport {
  // A ProxyCommand is a command line by definition, from the user's own configuration. `exec` leaves one process to end.
  const [program, args] =
    'jump' in proxy ? ['ssh', [...proxy.jump]] : ['/bin/sh', ['-c', `exec ${proxy.command.replace(/^exec /, '')}`]];
  // Its complaints go where the gateway's own go: the reason why a jump host refused is there only.
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const stream = new ProcessStream(child.stdin, child.stdout);
  child.on('error', (error) => {
    stream.destroy(new ConnectFailure('unreachable', `the proxy can't be started: ${error.message}`, { cause: error }));
  });
  stream.on('close', () => child.kill());
  return { stream, receivedBytes: () => stream.received, destroy: () => void stream.destroy() };
}

/** Both ends of a process as one stream. */
class ProcessStream extends Duplex {
  received = 0;

  constructor(
    private readonly input: Writable,
    private readonly output: Readable,
  ) {
    super();
    output.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      if (!this.push(chunk)) output.pause();
    });
    output.on('end', () => this.push(null));
    // The end of the output tells that it died; a broken pipe adds nothing.
    input.on('error', () => undefined);
    output.on('error', () => undefined);
  }

  override _read(): void {
    this.output.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.input.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.input.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.input.destroy();
    this.output.destroy();
    done(error);
  }
}

function causeText(error: unknown): string {
  // Where a name has several addresses, there is a failure for each of them.
  if (error instanceof AggregateError) return error.errors.map(causeText).join('; ');
  return error instanceof Error ? error.message : String(error);
}
