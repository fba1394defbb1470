import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/sshd.js';
import { eventually } from '../../support/store.js';

/** Whether Prometheus and its tool are installed. */
export function hasPrometheus(): boolean {
  return ['prometheus', 'promtool'].every((program) => spawnSync(program, ['--version']).status === 0);
}

/** Runs promtool; gives all that it printed, and whether it found nothing to complain of. */
export function promtool(args: readonly string[], input = ''): { isFine: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { isFine: status === 0, output: `${stdout}${stderr}` };
}

export interface Rule {
  readonly name: string;
  readonly query: string;
  readonly health: 'unknown' | 'ok' | 'err';
  readonly lastError?: string;
}

/** A real Prometheus on a free port of 127.0.0.1. */
export class Prometheus {
  private constructor(
    private readonly process: ChildProcess,
    private readonly url: string,
  ) {}

  /**
   * Resolves when it answers.
   *
   * @param folder of its data; relative paths of the configuration begin there
   * @param configuration in YAML
   */
  static async start(folder: string, configuration: string): Promise<Prometheus> {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'prometheus.yaml'), configuration);
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      'prometheus',
      [
        '--config.file=prometheus.yaml',
        '--storage.tsdb.path=data',
        `--web.listen-address=${address}`,
        '--log.level=warn',
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus didn't start: ${complaints}`);
      return fetch(`http://${address}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    }, 'Prometheus answers');
    return new Prometheus(child, `http://${address}/api/v1`);
  }

  /** The series that a query gives now. Fails if it is no query. */
  async query(query: string): Promise<readonly { readonly metric: object; readonly value: [number, string] }[]> {
    const { result } = await this.ask<{ result: { metric: object; value: [number, string] }[] }>('/query', { query });
    return result;
  }

  /** The names of all series that there are. */
  async names(): Promise<readonly string[]> {
    return this.ask('/label/__name__/values');
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.ask<{ groups: { rules: Rule[] }[] }>('/rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }

  private async ask<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
    const answer = await fetch(`${this.url}${path}?${new URLSearchParams(parameters).toString()}`);
    const { data, error } = (await answer.json()) as { data: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return data;
  }
}
