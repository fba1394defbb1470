import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Sshd } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import { output } from '../machine.js';
import type { NodeProgram } from '../nodes.js';
import { startDelayProxy, type DelayProxy } from './delay-proxy.js';
import { startGateway, type GatewayOptions } from './gateway.js';
import { startPlakar } from './plakar.js';
import type { HttpTarget } from './target.js';

/** An OpenSSH server on this machine, optionally behind a proxy that delays everything. */
export class SftpHost {
  private constructor(
    private readonly sshd: Sshd,
    private readonly proxy: DelayProxy | undefined,
    private readonly folder: string,
  ) {}

  /** @param roundTripMs how much longer a round trip takes than on this machine */
  static async start(bench: Bench, roundTripMs: number): Promise<SftpHost> {
    const sshd = await Sshd.start();
    const proxy = roundTripMs === 0 ? undefined : await startDelayProxy(bench, `127.0.0.1:${sshd.port}`, roundTripMs);
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

  /** @param args more options for the gateway */
  startGateway(
    bench: Bench,
    node: NodeProgram,
    [store, ...args]: readonly [store: string, ...args: string[]],
    options: GatewayOptions = {},
  ): Promise<HttpTarget> {
    const identity = ['--ssh-identity', join(this.sshd.folder, 'identity')];
    const known = ['--ssh-known-hosts', join(this.folder, 'known_hosts'), '--ssh-config', 'none'];
    return startGateway(bench, node, [this.location(store), ...identity, ...known, ...args], options);
  }

  /**
   * Resolves to undefined where plakar or its SFTP integration isn't there. plakar runs the first `ssh` on PATH, which is one that uses
   * this server's keys.
   */
  async startPlakar(bench: Bench, store: string): Promise<HttpTarget | undefined> {
    if (!bench.programs.plakarHasSftp) return undefined;
    // In TMPDIR is the socket of ssh's master process, which servers that have the folder in common would share.
    const temporary = bench.newPath('tmp');
    await mkdir(temporary);
    const path = `${this.folder}:${process.env['PATH'] ?? ''}`;
    return startPlakar(bench, this.location(store), { env: { PATH: path, TMPDIR: temporary } });
  }

  /** The arguments of OpenSSH's `sftp` for running a batch file. */
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
    await this.proxy?.server.stop();
    await this.sshd.stop();
  }

  /** Writes a configuration for OpenSSH's client, which then reads and writes nothing in the user's home. */
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
