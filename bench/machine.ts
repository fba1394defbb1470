import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** What a result was measured on. */
export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly fileSystem: string;
  readonly node: string;
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
    node: process.version,
    go: output('go', 'env', 'GOVERSION'),
  };
}

/** The gateway's version, and the commit that was measured; a `+` says that files were changed since. */
export function gatewayVersion(root: string): string {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
  const git = (...args: string[]) => output('git', '-C', root, ...args);
  return `${version} (${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src') === '' ? '' : '+'})`;
}

/** What a program prints, or `unknown` where it can't be run. */
export function output(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
