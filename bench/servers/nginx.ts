import { mkdir, writeFile } from 'node:fs/promises';
import { freePort } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import { Server } from './server.js';
import type { HttpTarget } from './target.js';

/** Starts nginx on a store's files, configured for speed, as the fastest that reads can be. Resolves to undefined where it isn't there. */
export async function startNginx(bench: Bench, store: string): Promise<HttpTarget | undefined> {
  const { nginx } = bench.programs;
  if (nginx === undefined) return undefined;
  const folder = bench.newPath('nginx');
  await mkdir(folder);
  const port = await freePort();
  const configuration = `${folder}/nginx.conf`;
  await writeFile(configuration, configurationOf(folder, store, port));
  const server = await Server.start(bench, {
    name: 'nginx',
    program: nginx,
    args: ['-p', folder, '-c', configuration, '-e', `${folder}/error.log`],
    ports: [port],
  });
  const http = { address: `127.0.0.1:${port}`, prefix: '/packfiles/', buckets: true, inclusive: true };
  return { name: 'nginx', server, http };
}

function configurationOf(folder: string, store: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
pid ${folder}/pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes auto;
events {}
http {
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=10000;
  server {
    listen 127.0.0.1:${port};
    root ${store};
  }
}
`;
}
