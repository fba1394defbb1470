import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Peer } from '../../../src/core/caller.js';

/** Connects, and reads the peer that the listener has recorded. Fails if the connection is refused. */
export async function enter(target: NetConnectOpts): Promise<{ socket: Socket; peer: Peer }> {
  const socket = connect(target);
  return { socket, peer: JSON.parse(await firstLine(socket)) as Peer };
}

/** The same over TLS, without verifying the server's certificate. */
export async function enterTls(options: ConnectionOptions): Promise<{ socket: TLSSocket; peer: Peer }> {
  const socket = connectTls({ host: '127.0.0.1', rejectUnauthorized: false, ...options });
  return { socket, peer: JSON.parse(await firstLine(socket)) as Peer };
}

/** The first line that the server sends. Fails if the connection ends before. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
    socket.on('data', function read(chunk: Buffer) {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      socket.removeListener('data', read);
      resolve(text.slice(0, text.indexOf('\n')));
    });
  });
}

/** Whether a connection still works in both directions. */
export async function echoes(socket: Socket): Promise<boolean> {
  const answer = once(socket, 'data') as Promise<[Buffer]>;
  socket.write('ping');
  return (await answer)[0].toString() === 'ping';
}

/** Waits until a connection is closed, with or without an error. */
export function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
}
