import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Certificate } from '../../support/certificate.js';
import type { TestGateway } from '../../support/gateway.js';
import { answers, freePort } from '../../support/sshd.js';
import { eventually } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';

/** A proxy that examples/proxies has a configuration for. */
export interface Kind {
  readonly name: string;
  readonly file: string;
  /** What shows whether it is installed. */
  readonly version: readonly string[];
  /** The file, for ports of this test: what surrounds it on a real machine is added. */
  readonly adapt: (text: string, port: number, folder: string) => string;
  readonly run: (file: string) => readonly string[];
}

export const kinds: readonly Kind[] = [
  {
    name: 'nginx',
    file: 'nginx.conf',
    version: ['nginx', '-v'],
    adapt: (text, port, folder) => `
      daemon off;
      worker_processes 1;
      pid ${folder}/pid;
      events {}
      http {
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${folder}/${each};`).join('\n')}
        ${replace(text, 'listen 443', `listen 127.0.0.1:${port}`)}
      }`,
    run: (file) => ['nginx', '-c', file, '-e', 'stderr'],
  },
  {
    name: 'HAProxy',
    file: 'haproxy.cfg',
    version: ['haproxy', '-v'],
    adapt: (text, port) => replace(text, 'bind :443', `bind 127.0.0.1:${port}`),
    run: (file) => ['haproxy', '-db', '-f', file],
  },
  {
    name: 'Caddy',
    file: 'Caddyfile',
    version: ['caddy', 'version'],
    // For any host; as for the others, `localhost` is the certificate's name only.
    adapt: (text, port) =>
      `{\nadmin off\nauto_https off\n}\n${replace(text, 'gateway.example.org {', `https://:${port} {\nbind 127.0.0.1`)}`,
    run: (file) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
  },
];

/** Whether a proxy is installed. In CI, all are. */
export function isInstalled({ version: [command = '', ...args], name }: Kind): boolean {
  const found = spawnSync(command, args).status === 0;
  if (!found && process.env['CI']) throw new Error(`there is no ${name}`);
  return found;
}

/** A running proxy in front of a gateway, for `https://localhost:port`. */
export class Proxy {
  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
  ) {}

  /** Starts it with its file of examples/proxies. Resolves when it accepts connections. */
  static async start(kind: Kind, gateway: TestGateway, certificate: Certificate): Promise<Proxy> {
    const folder = await tempFolder();
    const port = await freePort();
    await mkdir(join(folder, 'etc'));
    const [cert, key, both] = ['cert.pem', 'key.pem', 'gateway.pem'].map((name) => join(folder, 'etc', name));
    await writeFile(`${cert}`, certificate.cert);
    await writeFile(`${key}`, certificate.key);
    await writeFile(`${both}`, Buffer.concat([certificate.cert, certificate.key]));
    const example = fileURLToPath(new URL(`../../../examples/proxies/${kind.file}`, import.meta.url));
    let text = await readFile(example, 'utf8');
    text = text.replace(/\/etc\/\S+\/(?=\w+\.pem)/g, `${folder}/etc/`);
    text = replace(text, '127.0.0.1:9876', `127.0.0.1:${gateway.httpPort}`);
    text = replace(text, '127.0.0.1:9878', `127.0.0.1:${gateway.grpcPort}`);
    const file = join(folder, kind.file);
    await writeFile(file, kind.adapt(text, port, folder));
    const [command = '', ...args] = kind.run(file);
    const child = spawn(command, args, { env: { ...process.env, HOME: folder }, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`${kind.name} didn't start: ${complaints}`);
      return answers(port);
    }, `${kind.name} accepts connections`);
    return new Proxy(child, port);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await exited;
  }
}

/** Replaces a piece of a configuration, which has to be there. */
function replace(text: string, piece: string, by: string): string {
  if (!text.includes(piece)) throw new Error(`the example has no "${piece}"`);
  return text.replaceAll(piece, by);
}
