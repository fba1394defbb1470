/** A listening socket that systemd opened and passed on (sd_listen_fds(3)). */
export interface ActivatedSocket {
  readonly fd: number;
  /** Its `FileDescriptorName=`; by default, the socket unit's name. */
  readonly name: string;
}

/** The first descriptor that systemd passes on: SD_LISTEN_FDS_START. */
const firstFd = 3;

/** The sockets that were passed on to the process `pid`, by its environment. None where the variables are for another one. */
export function parseActivation(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly ActivatedSocket[] {
  const count = env['LISTEN_FDS'] ?? '';
  if (env['LISTEN_PID'] !== String(pid) || !/^[1-9]\d{0,3}$/.test(count)) return [];
  const names = env['LISTEN_FDNAMES']?.split(':') ?? [];
  // What sd_listen_fds_with_names(3) calls those whose name isn't told.
  return Array.from({ length: Number(count) }, (_, i) => ({ fd: firstFd + i, name: names[i] || 'unknown' }));
}

/** The sockets that systemd passed on, each for one listener. */
export class ActivatedSockets {
  private left: readonly ActivatedSocket[];

  constructor(private readonly all: readonly ActivatedSocket[]) {
    this.left = all;
  }

  /** Those that no listener took. */
  get strays(): readonly ActivatedSocket[] {
    return this.left;
  }

  /**
   * Takes the sockets of a name, of which there may be several; where the name is empty, those that are left, if they all have
   * the same one. Throws, with a message for the operator, where there is none.
   */
  take(name: string): readonly ActivatedSocket[] {
    const taken = name === '' ? this.left : this.left.filter((each) => each.name === name);
    const names = [...new Set(taken.map((each) => each.name))];
    if (names.length > 1) {
      throw new Error(
        `systemd passed sockets of several names: say which, as in systemd:${names.join(' or systemd:')}`,
      );
    }
    if (taken.length === 0) throw new Error(this.missing(name));
    this.left = this.left.filter((each) => !taken.includes(each));
    return taken;
  }

  private missing(name: string): string {
    if (this.all.length === 0) {
      return (
        'systemd passed no socket to this process: it has to be started by a service with a socket unit of its own, ' +
        'and as node itself, not through npx or a shell'
      );
    }
    const names = [...new Set(this.all.map((each) => each.name))].join(', ');
    if (name === '' || this.all.some((each) => each.name === name)) {
      return (
        `every such socket that systemd passed (${names}) is taken by another listener, or was by one that the ` +
        'configuration had before: restart the gateway then'
      );
    }
    return `systemd passed no socket of this name, only: ${names} (FileDescriptorName= of the socket unit sets it)`;
  }
}
