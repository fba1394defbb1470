/** A listening socket passed by systemd (sd_listen_fds(3)). */
export interface ActivatedSocket {
  readonly fd: number;
  /** Its `FileDescriptorName=`; by default, the socket unit's name. */
  readonly name: string;
}

/** The first passed descriptor: SD_LISTEN_FDS_START. */
const firstFd = 3;

/** The sockets passed to the process `pid`, according to its environment. None if the variables are for another process. */
export function parseActivation(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly ActivatedSocket[] {
  const count = env['LISTEN_FDS'] ?? '';
  if (env['LISTEN_PID'] !== String(pid) || !/^[1-9]\d{0,3}$/.test(count)) return [];
  const names = env['LISTEN_FDNAMES']?.split(':') ?? [];
  // sd_listen_fds_with_names(3) also calls sockets without a name `unknown`.
  return Array.from({ length: Number(count) }, (_, i) => ({ fd: firstFd + i, name: names[i] || 'unknown' }));
}

/** The sockets passed by systemd. Each is for one listener. */
export class ActivatedSockets {
  /** Those that no listener has taken. */
  unclaimed: readonly ActivatedSocket[];

  constructor(private readonly all: readonly ActivatedSocket[]) {
    this.unclaimed = all;
  }

  /**
   * Takes all sockets with a name. If `name` is empty, takes all that are available, which must have the same name. Throws, with a
   * message for the operator, if there is none.
   */
  take(name: string): readonly ActivatedSocket[] {
    const taken = name === '' ? this.unclaimed : this.unclaimed.filter((each) => each.name === name);
    const names = [...new Set(taken.map((each) => each.name))];
    if (names.length > 1) {
      throw new Error(
        `systemd passed sockets with different names: choose one, as in systemd:${names.join(' or systemd:')}`,
      );
    }
    if (taken.length === 0) throw new Error(this.missing(name));
    this.unclaimed = this.unclaimed.filter((each) => !taken.includes(each));
    return taken;
  }

  private missing(name: string): string {
    if (this.all.length === 0) {
      return (
        'systemd passed no socket to this process: start it as a service that has a socket unit, ' +
        'and directly as node, not through npx or a shell'
      );
    }
    const names = [...new Set(this.all.map((each) => each.name))].join(', ');
    if (name === '' || this.all.some((each) => each.name === name)) {
      return (
        `every such socket that systemd passed (${names}) is taken by another listener. ` +
        'If an earlier configuration had that listener, restart the gateway'
      );
    }
    return `systemd passed no socket with this name, only: ${names} (FileDescriptorName= in the socket unit sets it)`;
  }
}
