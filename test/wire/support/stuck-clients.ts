import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { header } from '../../support/objects.js';
import { requestHead } from './raw-http.js';

/* Clients that take up connections, and get nowhere. A process of their own: one alone may not have as many as both ends need. */

/** What a crowd of clients does, each of them forever. */
export interface Crowd {
  readonly port: number;
  readonly count: number;
  /** Sent at first; `MAC` in it stands for something that is different for each client. */
  readonly opening: string;
  /** Sent once a second. */
  readonly trickle?: string;
}

/** How a packfile starts. Its bytes are Latin-1 characters here. */
const start = header('packfile').toString('latin1');

/** Some that do what slow, stuck or malicious ones do; the object is a large one that there is. */
export const crowds = {
  silent: (port: number, count: number): Crowd => ({ port, count, opening: '' }),
  halfHeader: (port: number, count: number): Crowd => ({
    port,
    count,
    opening: 'GET / HTTP/1.1\r\nHost: gateway\r\nX-Slow: ',
    trickle: 'a',
  }),
  trickledUpload: (port: number, count: number): Crowd => ({
    port,
    count,
    opening: `${requestHead('PUT', '/resources/packfiles/MAC', { 'Transfer-Encoding': 'chunked' })}10\r\n${start}\r\n`,
    trickle: '1\r\na\r\n',
  }),
  stuckDownload: (port: number, count: number, path: string): Crowd => ({
    port,
    count,
    opening: requestHead('GET', path),
  }),
  /** The beginning of a TLS record with a ClientHello. */
  halfHandshake: (port: number, count: number): Crowd => ({
    port,
    count,
    opening: '\x16\x03\x01\x00\xff\x01\x00\x00\xfb\x03\x03',
  }),
} as const;

/** Clients that are connected until they are told to vanish. */
export interface StuckClients {
  vanish(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Starts crowds of clients. Resolves when all of them are connected, and have sent what they send at first. */
export async function startStuckClients(all: readonly Crowd[]): Promise<StuckClients> {
  const file = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(all)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exited.then(() => ['it ended']),
  ])) as [string];
  if (line !== 'connected') throw new Error(`the stuck clients: ${line}`);
  return {
    vanish: async () => {
      running.delete(child);
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Ends all that are still there. For `afterEach`. */
export function endStuckClients(): void {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
}

/** So many connect at once: no more than wait in the line of a listening socket. */
const atOnce = 100;

async function runCrowd({ port, count, opening, trickle }: Crowd): Promise<void> {
  for (let done = 0; done < count; done += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - done) }, async (_, i) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      // Whatever comes is never read.
      socket.pause();
      const mac = (done + i).toString(16).padStart(64, '0');
      if (opening !== '') socket.write(Buffer.from(opening.replace('MAC', mac), 'latin1'));
      if (trickle !== undefined) keepTrickling(socket, trickle);
    });
    await Promise.all(some);
  }
}

function keepTrickling(socket: Socket, text: string): void {
  const timer = setInterval(() => {
    if (socket.writable) socket.write(text);
    else clearInterval(timer);
  }, 1000);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = JSON.parse(process.argv[2] ?? '[]') as Crowd[];
  for (const crowd of all) await runCrowd(crowd);
  process.stdout.write('connected\n');
  // The connections alone would keep it running, as long as there are any.
  setInterval(() => undefined, 60_000);
}
