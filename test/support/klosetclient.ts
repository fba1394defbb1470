import { execFile, spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { tempFolder } from './temp.js';

/** The kinds of objects, as the client names them. */
export type ClientKind = 'packfile' | 'state' | 'lock';

export interface ClientOptions {
  /** Of an encrypted store. */
  readonly passphrase?: string | undefined;
  /** Is sent with every request. */
  readonly authToken?: string;
  /** A PEM file with the certificate authorities that it trusts; by default the system's. */
  readonly authorities?: string;
  /** The limit of each HTTP request, as Go writes durations: `5m`. By default none. */
  readonly timeout?: string;
}

export interface Snapshot {
  readonly snapshot: string;
  readonly files: number;
}

export interface Backup extends Snapshot {
  /** How many files it couldn't read. */
  readonly errors: number;
  /** Why its own lock stayed behind. */
  readonly lockError?: string;
}

/** How a backup behaves, so that a small one is like a long one. */
export interface Pace {
  /** How often it puts a state, instead of every hour, in milliseconds. */
  readonly checkpointMs?: number;
  /** How long it waits before each file, in milliseconds. */
  readonly pauseMs?: number;
}

/** A failure of the client. The message is what its user sees. */
export class ClientFailure extends Error {
  override readonly name = 'ClientFailure';
}

/**
 * Builds the client in test/interop, which is made of plakar's own modules, before the tests of a `describe`. They are skipped
 * where there is no Go to build it; in CI they fail. Gives what makes a client of a store, a folder's or a gateway's.
 *
 * @param kloset the version of plakar's library: that of plakar 1.1.4, or the newest
 */
export function klosetClients(
  kloset: KlosetVersion = '1.1.3',
): (location: string, options?: ClientOptions) => KlosetClient {
  let program = '';
  let temporary = '';
  before('build the client', async function () {
    this.timeout(600_000);
    if (spawnSync('go', ['version']).status !== 0) {
      if (process.env['CI']) throw new Error('there is no go to build test/interop with');
      this.skip();
    }
    program = await (built[kloset] ??= build(kloset));
    temporary = await tempFolder();
  });
  return (location, options = {}) => new KlosetClient(program, temporary, location, options);
}

const modFiles = { '1.1.3': 'go.mod', '1.1.4': 'go.newest.mod' };

export type KlosetVersion = keyof typeof modFiles;

export const klosetVersions = Object.keys(modFiles) as KlosetVersion[];

const built: Partial<Record<KlosetVersion, Promise<string>>> = {};

async function build(kloset: KlosetVersion): Promise<string> {
  const program = join(await tempFolder(), 'klosetclient');
  await promisify(execFile)('go', ['build', `-modfile=${modFiles[kloset]}`, '-o', program, '.'], {
    cwd: fileURLToPath(new URL('../interop', import.meta.url)),
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  return program;
}

/** A client of one store. Each method runs the program once. Fails with a ClientFailure if the program fails. */
export class KlosetClient {
  constructor(
    private readonly program: string,
    private readonly temporary: string,
    private readonly location: string,
    private readonly options: ClientOptions,
  ) {}

  /**
   * Makes the store. It has to be a folder's.
   *
   * @param packfileBytes how large packfiles get; by default 20 MiB
   * @param hashing what MACs are made with; by default BLAKE3
   */
  async create(packfileBytes?: number, hashing?: 'SHA256'): Promise<void> {
    const size = packfileBytes === undefined ? [] : ['-packfile-size', String(packfileBytes)];
    const algorithm = hashing === undefined ? [] : ['-hashing', hashing];
    await this.run('create', ...size, ...algorithm, ...(this.options.passphrase === undefined ? ['-plaintext'] : []));
  }

  async backup(folder: string, { checkpointMs, pauseMs }: Pace = {}): Promise<Backup> {
    const checkpoint = checkpointMs === undefined ? [] : ['-checkpoint', `${checkpointMs}ms`];
    const pause = pauseMs === undefined ? [] : ['-pause', `${pauseMs}ms`];
    return (await this.run('backup', folder, ...checkpoint, ...pause)) as Backup;
  }

  /** Begins a backup that puts the packfiles that get full, and then stops for ever. Gives what kills it. */
  endlessBackup(folder: string): () => Promise<void> {
    const child = this.spawn('backup', [folder, '-hang']);
    return async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    };
  }

  /** Every snapshot, oldest first. */
  async list(): Promise<Snapshot[]> {
    return ((await this.run('list')) as { snapshots: Snapshot[] }).snapshots;
  }

  /** Reads and verifies all data of every snapshot. Resolves to how many those are. */
  async check(): Promise<number> {
    return ((await this.run('check')) as { checked: number }).checked;
  }

  /** Restores a snapshot into a new folder. Resolves to its path. */
  async restore(snapshot: string): Promise<string> {
    const target = await tempFolder();
    await this.run('restore', snapshot, target);
    return target;
  }

  /** Marks a snapshot as removed. */
  async remove(snapshot: string): Promise<void> {
    await this.run('rm', snapshot);
  }

  /** Does what a maintenance does that deletes so many packfiles, needed or not. Resolves to their MACs. */
  async maintain(packfiles: number): Promise<string[]> {
    return ((await this.run('maintain', String(packfiles))) as { deleted: string[] }).deleted;
  }

  /** Leaves a lock behind that was last refreshed that many minutes ago. Resolves to its MAC. */
  async putLock(ageMinutes = 0, { exclusive = false } = {}): Promise<string> {
    const flags = ['-age', `${ageMinutes}m`, ...(exclusive ? ['-exclusive'] : [])];
    return ((await this.run('putlock', ...flags)) as { mac: string }).mac;
  }

  async objects(kind: ClientKind): Promise<string[]> {
    return ((await this.run('ls-objects', kind)) as { macs: string[] }).macs;
  }

  /** Reads a range of an object. Resolves to how many bytes came, and their SHA-256. */
  async read(
    kind: ClientKind,
    mac: string,
    offset: number,
    length: number,
  ): Promise<{ length: number; sha256: string }> {
    const info = (await this.run('get', kind, mac, '-range', `${offset}:${length}`)) as {
      length: number;
      sha256: string;
    };
    return { length: info.length, sha256: info.sha256 };
  }

  /** Puts the bytes of a file. */
  async put(kind: ClientKind, mac: string, file: string): Promise<void> {
    await this.run('put', kind, mac, file);
  }

  async delete(kind: ClientKind, mac: string): Promise<void> {
    await this.run('delete', kind, mac);
  }

  private run(command: string, ...args: string[]): Promise<unknown> {
    const child = this.spawn(command, args);
    let output = '';
    let complaints = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (code === 0) resolve(JSON.parse(output));
        else if (signal === null) reject(new ClientFailure(complaints.trimEnd()));
        else reject(new Error(`klosetclient ${command} was ended by ${signal}: ${complaints}`));
      });
    });
  }

  private spawn(command: string, args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    const { passphrase, authToken, authorities, timeout } = this.options;
    const token = authToken === undefined ? [] : ['-auth-token', authToken];
    const limit = timeout === undefined ? [] : ['-timeout', timeout];
    // Nothing of the user's environment: it could name a proxy.
    return spawn(this.program, [command, this.location, ...args, ...token, ...limit], {
      env: { TMPDIR: this.temporary, HOME: this.temporary, KLOSET_PASSPHRASE: passphrase, SSL_CERT_FILE: authorities },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
  }
}
