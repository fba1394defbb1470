import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import { constants, type Stats } from 'node:fs';
import type { AddressInfo } from 'node:net';
import ssh2, { type Attributes, type Connection, type SFTPWrapper } from 'ssh2';
import type { SftpLocation } from '../../../src/backends/sftp/location.js';
import type { SftpOptions } from '../../../src/backends/sftp/options.js';
import { tempFolder } from '../../support/temp.js';

export interface PlainServerOptions {
  /** The most bytes that a READ is answered with. */
  readonly readBytes?: number;
  /** RENAME replaces, as it must not. */
  readonly renameReplaces?: boolean;
  /** Lists have names only. Called with each name that is listed, before the answer. */
  readonly listsNamesOnly?: (path: string) => Promise<void>;
  /** What WRITE is answered with instead of being done. */
  readonly writeStatus?: { readonly code: number; readonly message: string };
  /** Where this says so, the connection is cut instead of the answer sent: once the request was carried out. */
  readonly loses?: (request: string, path: string) => boolean;
}

const status = { ok: 0, eof: 1, noSuchFile: 2, failure: 4, unsupported: 8 };
const password = 'a password of its own';

/** An SFTP server with nothing but version 3 of the protocol: no extension is offered. It serves this machine's files. */
export class PlainServer {
  private readonly connections = new Set<Connection>();
  /** How many files are open. */
  openFiles = 0;
  /** Requests by name, since the start. */
  readonly requests: Record<string, number> = {};

  private constructor(
    private readonly server: InstanceType<typeof ssh2.Server>,
    private readonly passwordFile: string,
    readonly options: PlainServerOptions,
  ) {}

  static async start(options: PlainServerOptions = {}): Promise<PlainServer> {
    const passwordFile = `${await tempFolder()}/password`;
    await fs.writeFile(passwordFile, `${password}\n`);
    // Not with ssh2's own generator, which now and then makes a key that it can't read itself.
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const hostKey = privateKey.export({ type: 'sec1', format: 'pem' });
    const server = new ssh2.Server({ hostKeys: [hostKey] });
    const plain = new PlainServer(server, passwordFile, options);
    server.on('connection', (connection: Connection) => {
      plain.accept(connection);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return plain;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  location(path: string): SftpLocation {
    return { scheme: 'sftp', user: 'tester', host: '127.0.0.1', port: this.port, path };
  }

  get clientOptions(): SftpOptions {
    return {
      env: {},
      home: '/nonexistent',
      localUser: 'tester',
      passwordFile: this.passwordFile,
      insecureIgnoreHostKey: true,
      sshConfig: 'none',
      giveUpMs: 5000,
    };
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) connection.end();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(connection: Connection): void {
    this.connections.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => this.connections.delete(connection));
    connection.on('authentication', (context) => {
      if (context.method === 'password' && context.password === password) context.accept();
      else context.reject(['password']);
    });
    connection.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => {
        new Channel(acceptSftp(), connection, this);
      });
    });
  }
}

/** One client's requests, answered one after the other. */
class Channel {
  private readonly files = new Map<number, fs.FileHandle>();
  private readonly folders = new Map<number, { path: string; names: string[] }>();
  private next = 1;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly sftp: SFTPWrapper,
    private readonly connection: Connection,
    private readonly server: PlainServer,
  ) {
    connection.on('close', () => void this.closeAll());
    this.serveFiles();
    this.serveNames();
  }

  private serveFiles(): void {
    this.on('OPEN', async (id, path: string, flags: number, attrs: Attributes) => {
      const file = await fs.open(path, nodeFlags(flags), attrs.mode);
      this.files.set(this.next, file);
      this.server.openFiles++;
      this.sftp.handle(id, this.handle());
    });
    this.on('READ', async (id, handle: Buffer, offset: number, length: number) => {
      const buffer = Buffer.alloc(Math.min(length, this.server.options.readBytes ?? length));
      const { bytesRead } = await this.file(handle).read(buffer, 0, buffer.length, offset);
      if (bytesRead === 0) this.sftp.status(id, status.eof);
      else this.sftp.data(id, buffer.subarray(0, bytesRead));
    });
    this.on('WRITE', async (id, handle: Buffer, offset: number, data: Buffer) => {
      const { writeStatus } = this.server.options;
      if (writeStatus !== undefined) {
        this.sftp.status(id, writeStatus.code, writeStatus.message);
        return;
      }
      await this.file(handle).write(data, 0, data.length, offset);
      this.sftp.status(id, status.ok);
    });
    this.on('FSTAT', async (id, handle: Buffer) => {
      this.sftp.attrs(id, attributes(await this.file(handle).stat()));
    });
    this.on('FSETSTAT', async (id, handle: Buffer, attrs: Attributes) => {
      await this.file(handle).chmod(attrs.mode);
      this.sftp.status(id, status.ok);
    });
    this.on('CLOSE', async (id, handle: Buffer) => {
      const key = handle.readUInt32BE(0);
      await this.files.get(key)?.close();
      if (this.files.delete(key)) this.server.openFiles--;
      this.folders.delete(key);
      this.sftp.status(id, status.ok);
    });
  }

  private serveNames(): void {
    this.on('LSTAT', async (id, path: string) => {
      this.sftp.attrs(id, attributes(await fs.lstat(path)));
    });
    this.on('SETSTAT', async (id, path: string, attrs: Attributes) => {
      await fs.chmod(path, attrs.mode);
      this.sftp.status(id, status.ok);
    });
    this.on('MKDIR', async (id, path: string) => {
      await fs.mkdir(path);
      this.sftp.status(id, status.ok);
    });
    this.on('REMOVE', async (id, path: string) => {
      await fs.unlink(path);
      this.sftp.status(id, status.ok);
    });
    this.on('RENAME', async (id, from: string, to: string) => {
      if (this.server.options.renameReplaces !== true) {
        await fs.link(from, to);
        await fs.unlink(from);
      } else await fs.rename(from, to);
      this.sftp.status(id, status.ok);
    });
    this.on('OPENDIR', async (id, path: string) => {
      this.folders.set(this.next, { path, names: await fs.readdir(path) });
      this.sftp.handle(id, this.handle());
    });
    this.on('READDIR', async (id, handle: Buffer) => {
      const folder = this.folders.get(handle.readUInt32BE(0));
      const names = folder?.names.splice(0, 7) ?? [];
      if (names.length === 0) this.sftp.status(id, status.eof);
      else {
        const entries = names.map(async (filename) => {
          const { listsNamesOnly } = this.server.options;
          const path = `${folder?.path}/${filename}`;
          await listsNamesOnly?.(path);
          const attrs = listsNamesOnly ? ({} as Attributes) : attributes(await fs.lstat(path));
          return { filename, longname: filename, attrs };
        });
        this.sftp.name(id, await Promise.all(entries));
      }
    });
    this.on('EXTENDED', async (id) => {
      this.sftp.status(id, status.unsupported);
      return Promise.resolve();
    });
  }

  private on<A extends unknown[]>(request: string, work: (id: number, ...rest: A) => Promise<void>): void {
    this.sftp.on(request, (id: number, ...rest: A) => {
      this.server.requests[request] = (this.server.requests[request] ?? 0) + 1;
      this.queue = this.queue.then(() => this.answer(request, id, rest, work));
    });
  }

  private async answer<A extends unknown[]>(
    request: string,
    id: number,
    rest: A,
    work: (id: number, ...rest: A) => Promise<void>,
  ): Promise<void> {
    const lost = this.server.options.loses?.(request, String(rest[0])) === true;
    if (lost) {
      for (const method of ['status', 'handle', 'attrs', 'data', 'name'] as const) this.sftp[method] = () => undefined;
    }
    try {
      await work(id, ...rest);
    } catch (error) {
      const missing = ['ENOENT', 'ENOTDIR'].includes(String((error as { code?: unknown }).code));
      this.sftp.status(id, missing ? status.noSuchFile : status.failure);
    }
    if (lost) this.connection.end();
  }

  private handle(): Buffer {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(this.next++, 0);
    return handle;
  }

  private file(handle: Buffer): fs.FileHandle {
    const file = this.files.get(handle.readUInt32BE(0));
    if (file === undefined) throw new Error('no such handle');
    return file;
  }

  private async closeAll(): Promise<void> {
    for (const file of this.files.values()) {
      await file.close();
      this.server.openFiles--;
    }
    this.files.clear();
  }
}

function nodeFlags(flags: number): number {
  const write = (flags & 2) !== 0;
  return (
    (write ? constants.O_RDWR : constants.O_RDONLY) |
    ((flags & 8) === 0 ? 0 : constants.O_CREAT) |
    ((flags & 0x20) === 0 ? 0 : constants.O_EXCL)
  );
}

function attributes(stats: Stats): Attributes {
  return {
    mode: stats.mode,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
    atime: Math.floor(stats.atimeMs / 1000),
    mtime: Math.floor(stats.mtimeMs / 1000),
  };
}
