import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TcpProxy } from '../../test/backends/sftp/tcp-proxy.js';
import { Sshd } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import { output } from '../machine.js';
import { startGateway, type GatewayOptions } from './gateway.js';
import { startPlakar } from './plakar.js';
import type { HttpTarget } from './target.js';

/** An OpenSSH server on this machine that may be far away: everything through it is held for a while. */
export class SftpHost {
  private constructor(
    private readonly sshd: Sshd,
    private readonly proxy: TcpProxy | undefined,
    private readonly folder: string,
  ) {}

  /** @param delayMs there and back */
  static async start(bench: Bench, delayMs: number): Promise<SftpHost> {
    const sshd = await Sshd.start();
    const proxy = delayMs === 0 ? undefined : await TcpProxy.start(sshd.port, delayMs / 2);
    const host = new SftpHost(sshd, proxy, bench.newPath('ssh'));
    await mkdir(host.folder);
    await host.configure();
    return host;
  }

  private get port(): number {
    return this.proxy?.port ?? this.sshd.port;
  }

  location(path: string): string {
    return `sftp://${this.sshd.user}@127.0.0.1:${this.port}${path}`;
  }

  startGateway(bench: Bench, store: string, { name, args = [] }: GatewayOptions = {}): Promise<HttpTarget> {
    const identity = ['--ssh-identity', join(this.sshd.folder, 'identity')];
    const known = ['--ssh-known-hosts', join(this.folder, 'known_hosts'), '--ssh-config', 'none'];
    const options = { args: [...identity, ...known, ...args] };
    return startGateway(bench, this.location(store), name === undefined ? options : { name, ...options });
  }

  /** Undefined where plakar, or its SFTP integration, isn't there. It runs the `ssh` that it finds on PATH: ours is first. */
  async startPlakar(bench: Bench, store: string): Promise<HttpTarget | undefined> {
    if (!bench.programs.plakarHasSftp) return undefined;
    // In TMPDIR it leaves the socket of ssh's master, which another server of its own would find and use.
    const temporary = bench.newPath('tmp');
    await mkdir(temporary);
    const path = `${this.folder}:${process.env['PATH'] ?? ''}`;
    return startPlakar(bench, this.location(store), { PATH: path, TMPDIR: temporary });
  }

  /** The command line of OpenSSH's own client, up to the host. */
  client(batch: string): string[] {
    return [
      '-q',
      '-F',
      join(this.folder, 'config'),
      '-P',
      String(this.port),
      '-b',
      batch,
      `${this.sshd.user}@127.0.0.1`,
    ];
  }

  async stop(): Promise<void> {
    await this.proxy?.close();
    await this.sshd.stop();
  }

  /** Everything that OpenSSH's client needs to reach this server and touch nothing of the user's. */
  private async configure(): Promise<void> {
    const knownHosts = join(this.folder, 'known_hosts');
    await writeFile(knownHosts, await this.sshd.knownHosts(`[127.0.0.1]:${this.port}`));
    const lines = [
      `UserKnownHostsFile ${knownHosts}`,
      `IdentityFile ${this.sshd.folder}/identity`,
      'IdentitiesOnly yes',
    ];
    await writeFile(join(this.folder, 'config'), `${lines.join('\n')}\n`);
    const ssh = join(this.folder, 'ssh');
    await writeFile(ssh, `#!/bin/sh\nexec ${output('which', 'ssh')} -F ${this.folder}/config "$@"\n`);
    await chmod(ssh, 0o755);
  }
}
