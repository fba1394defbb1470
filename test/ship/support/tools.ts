import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface Report {
  readonly status: number | null;
  readonly output: string;
}

/** Whether there is Python to install them with. In CI, there has to be. */
export function hasTools(): boolean {
  return spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0;
}

/** What hadolint has against a Dockerfile. */
export async function hadolint(path: string): Promise<Report> {
  return runTool('hadolint', [path]);
}

/** What kustomize makes of a folder: resources of Kubernetes, in YAML. Fails where it can't. */
export async function kustomize(folder: string): Promise<string> {
  const { status, output } = await runTool('kubectl', ['kustomize', folder]);
  if (status !== 0) throw new Error(output);
  return output;
}

/** What Kubernetes' own schemas have against resources: also properties that they don't know. */
export async function validateResources(path: string): Promise<Report> {
  return runTool('kubernetes-validate', ['--strict', '--quiet', path]);
}

/** What docker-compose makes of files, of which later ones add to earlier ones; fails where it can't. */
export async function composeProject(paths: readonly string[]): Promise<unknown> {
  const files = paths.flatMap((path) => ['--file', path]);
  const { status, output } = await runTool('docker-compose', [...files, 'config', '--format', 'json']);
  if (status !== 0) throw new Error(output);
  return JSON.parse(output);
}

let installed: Promise<string> | undefined;

async function runTool(name: string, args: readonly string[]): Promise<Report> {
  const { status, stdout, stderr } = spawnSync(join(await (installed ??= install()), name), args, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** Resolves to the folder of the programs. */
async function install(): Promise<string> {
  const script = fileURLToPath(new URL('tools', import.meta.url));
  return (await promisify(execFile)(script)).stdout.trim();
}
