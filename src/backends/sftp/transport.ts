import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex, pipeline, Transform } from 'node:stream';
import { ConnectFailure } from './status.js';
import type { Proxy, Target } from './target.js';

/** The byte stream under an SSH connection. */
export interface Transport {
  readonly stream: Duplex;
  /** How many bytes were received so far: a sign of life. */
  receivedBytes(): number;
  /**
   * Ends it at once and discards what wasn't sent yet: a request must not reach the server late, after it was repeated on another
   * connection.
   */
  destroy(): void;
}

/** Opens a TCP connection, or starts the proxy. Fails with a ConnectFailure, `unavailable`. */
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
    throw new ConnectFailure('unavailable', `${host} port ${port} can't be reached: ${reason}`, { cause: error });
  }
  // Nagle's algorithm would delay small requests: reads took 46 ms instead of 0.1.
  socket.setNoDelay(true);
  const destroy = (): void => {
    // If ssh2 has ended it already, a reset is refused, and the socket would never close.
    if (socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
  };
  return { stream: socket, receivedBytes: () => socket.bytesRead, destroy };
}

function startProxy(proxy: Proxy, env: Readonly<Record<string, string | undefined>>): Transport {
  // A ProxyCommand is a command line by definition, from the user's own configuration. With `exec` there is one process to kill.
  const [program, args] =
    'jump' in proxy ? ['ssh', [...proxy.jump]] : ['/bin/sh', ['-c', `exec ${proxy.command.replace(/^exec /, '')}`]];
  // stderr is inherited: the reason why a jump host refused is printed there only.
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let received = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      done(null, chunk);
    },
  });
  const stream = Duplex.from({ readable: pipeline(child.stdout, counted, () => undefined), writable: child.stdin });
  child.on('error', (error) => {
    stream.destroy(new ConnectFailure('unavailable', `the proxy can't be started: ${error.message}`, { cause: error }));
  });
  stream.on('close', () => child.kill());
  return { stream, receivedBytes: () => received, destroy: () => void stream.destroy() };
}

function causeText(error: unknown): string {
  // A name with several addresses fails once for each of them.
  if (error instanceof AggregateError) return error.errors.map(causeText).join('; ');
  return error instanceof Error ? error.message : String(error);
}
