import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** The machine that a result was measured on. */
export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly fileSystem: string;
  readonly go: string;
}

/** @param folder where the stores are */
export function describeMachine(folder: string): Machine {
  const all = cpus();
  return {
    cores: all.length,
    model: all[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    fileSystem: output('df', '--output=fstype', folder).split('\n').pop() ?? 'unknown',
    go: output('go', 'env', 'GOVERSION'),
  };
}

/** The gateway's version and commit; a `+` after it says that src/ has uncommitted changes. */
export function gatewayVersion(root: string): string {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
  const git = (...args: string[]) => output('git', '-C', root, ...args);
  return `${version} (${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src') === '' ? '' : '+'})`;
}

/** Returns a program's output, or `unknown` if it fails. */
export function output(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
