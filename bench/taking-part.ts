import { fileURLToPath } from 'node:url';
import { gatewayVersion, output } from './machine.js';
import type { Options } from './options.js';
import type { Programs } from './programs.js';

interface Part {
  readonly name: string;
  readonly there: boolean;
  readonly version: () => string;
  /** What would help where it isn't there. */
  readonly help?: string;
}

/** Who takes part, and in which version; and who doesn't, and what would help. */
export function takingPart(
  programs: Programs,
  { plakarSftp }: Options,
): Record<'versions' | 'absent', Record<string, string>> {
  const all = parts(programs, plakarSftp);
  const entries = (there: boolean, of: (part: Part) => string) =>
    Object.fromEntries(all.filter((part) => part.there === there).map((part) => [part.name, of(part)]));
  return { versions: entries(true, ({ version }) => version()), absent: entries(false, ({ help }) => help ?? '') };
}

function parts(programs: Programs, plakarSftp: string | undefined): Part[] {
  const { plakar = '', plakarHome, nginx = '' } = programs;
  return [
    { name: 'gateway', there: true, version: () => gatewayVersion(fileURLToPath(new URL('..', import.meta.url))) },
    { name: 'grpc-go', there: true, version: () => goVersion('driver', 'google.golang.org/grpc') },
    {
      name: 'plakar',
      there: plakar !== '',
      version: () => output('env', `HOME=${plakarHome}`, plakar, 'version').replace(/^.*[/]/, ''),
      help: 'put it on PATH, or give --plakar PATH',
    },
    {
      name: 'plakar sftp',
      there: programs.plakarHasSftp,
      version: () => /v[0-9.]+[0-9]/.exec(plakarSftp ?? '')?.[0] ?? 'unknown',
      help: 'give --plakar-sftp FILE.ptar',
    },
    {
      name: 'rest-server',
      there: programs.restServer !== undefined,
      version: () => goVersion('rest-server', 'github.com/restic/rest-server'),
      help: 'go build in bench/rest-server tells why',
    },
    {
      name: 'nginx',
      there: nginx !== '',
      version: () => output('sh', '-c', `${nginx} -v 2>&1`).replace(/^.*[/]/, ''),
      help: 'apt-get install nginx-light',
    },
    {
      name: 'sshd',
      there: programs.sshd,
      version: () => output('sh', '-c', 'ssh -V 2>&1').replace(/[ ,].*$/, ''),
      help: 'apt-get install openssh-server',
    },
  ];
}

function goVersion(module: string, of: string): string {
  const folder = fileURLToPath(new URL(module, import.meta.url));
  return output('go', '-C', folder, 'list', '-m', '-f', '{{.Version}}', of);
}
