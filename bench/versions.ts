import { join } from 'node:path';
import { root } from './bench.js';
import { gatewayVersion, output } from './machine.js';
import type { Options } from './options.js';
import type { Programs } from './programs.js';

interface Part {
  readonly name: string;
  readonly isThere: boolean;
  readonly version: () => string;
  /** How to get it, where it isn't there. */
  readonly help?: string;
}

/** The versions of the programs that take part; and of those that don't, how to get them. */
export function describeParts(
  programs: Programs,
  options: Options,
): Record<'versions' | 'absent', Record<string, string>> {
  const all = parts(programs, options);
  const entries = (isThere: boolean, of: (part: Part) => string) =>
    Object.fromEntries(all.filter((part) => part.isThere === isThere).map((part) => [part.name, of(part)]));
  return { versions: entries(true, ({ version }) => version()), absent: entries(false, ({ help }) => help ?? '') };
}

function parts(programs: Programs, options: Options): Part[] {
  const { plakar = '', plakarHome, nginx = '' } = programs;
  return [
    { name: 'gateway', isThere: true, version: () => gatewayVersion(root) },
    { name: 'grpc-go', isThere: true, version: () => goVersion('driver', 'google.golang.org/grpc') },
    {
      name: 'plakar',
      isThere: plakar !== '',
      version: () => output('env', `HOME=${plakarHome}`, plakar, 'version').replace(/^.*[/]/, ''),
      help: 'go build in bench/plakar says why; or give --plakar PATH',
    },
    {
      name: 'plakar sftp',
      isThere: programs.plakarHasSftp,
      version: () => /v[0-9.]+[0-9]/.exec(options.plakarSftp ?? '')?.[0] ?? 'unknown',
      help: 'give --plakar-sftp FILE.ptar',
    },
    {
      name: 'rest-server',
      isThere: programs.restServer !== undefined,
      version: () => goVersion('rest-server', 'github.com/restic/rest-server'),
      help: 'go build in bench/rest-server says why',
    },
    {
      name: 'nginx',
      isThere: nginx !== '',
      version: () => output('sh', '-c', `${nginx} -v 2>&1`).replace(/^.*[/]/, ''),
      help: 'apt-get install nginx-light',
    },
    {
      name: 'sshd',
      isThere: programs.sshd,
      version: () => output('sh', '-c', 'ssh -V 2>&1').replace(/[ ,].*$/, ''),
      help: 'apt-get install openssh-server',
    },
  ];
}

function goVersion(module: string, of: string): string {
  return output('go', '-C', join(root, 'bench', module), 'list', '-m', '-f', '{{.Version}}', of);
}
