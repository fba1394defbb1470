import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Settings } from '../../src/backends/s3/options.js';
import type { Settings } from '../../src/config/config.js';
import { access, commandOf, hasGo, type ServerProgram } from './s3-programs.js';
import { SmallDisk } from './small-disk.js';
import { answers, freePort } from './sshd.js';
import { fixturePath, tempFolder } from './temp.js';

export interface S3ServerOptions {
  /** Default: versitygw. */
  readonly program?: ServerProgram;
  /** Whether the bucket keeps versions. */
  readonly versions?: boolean;
  /** Puts the bucket on a disk of its own, which can be made full; only versitygw's, and only root may. */
  readonly ownDisk?: boolean;
}

/** A real S3 server on a free port of 127.0.0.1, with one bucket. */
export class S3Server {
  readonly bucket = 'bucket';
  /** The bucket's folder, with an object's key as its path; only versitygw's. */
  readonly folder: string;
  /** For what the tests themselves ask of it. */
  readonly client: S3Client;
  /** The disk that the bucket has for itself; undefined if none was asked for, or none may be mounted. */
  disk: SmallDisk | undefined;
  private process: ChildProcess | undefined;

  private constructor(
    private readonly program: ServerProgram,
    private readonly command: readonly string[],
    readonly port: number,
    root: string,
  ) {
    this.folder = join(root, this.bucket);
    this.client = new S3Client(this.clientConfig);
  }

  static async start({
    program = 'versitygw',
    versions = false,
    ownDisk = false,
  }: S3ServerOptions = {}): Promise<S3Server> {
    const port = await freePort();
    const root = join(await tempFolder(), 'store');
    await mkdir(root);
    const command = await commandOf(program, { port, root, versions });
    const server = new S3Server(program, command, port, root);
    if (ownDisk) {
      await mkdir(server.folder);
      server.disk = SmallDisk.mount(server.folder);
    }
    await server.resume();
    // A folder is a bucket already.
    if (!ownDisk) await server.makeBucket();
    if (versions) await server.keepVersions();
    return server;
  }

  /** Settings of an SDK's client that reaches it. */
  get clientConfig(): S3ClientConfig {
    return {
      endpoint: `http://127.0.0.1:${this.port}`,
      region: 'us-east-1',
      credentials: access,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    };
  }

  /** The environment of a gateway that may use it. */
  get env(): Readonly<Record<string, string>> {
    return {
      AWS_ACCESS_KEY_ID: access.accessKeyId,
      AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  /** Settings of a gateway that reach it. */
  get settings(): Settings {
    return { 's3-tls': false };
  }

  /** The same, as the backend takes them. */
  get s3Settings(): S3Settings {
    return { tls: false };
  }

  /** A location in the bucket, of this server or of a proxy before it. */
  location(prefix: string, port = this.port): string {
    return `s3://127.0.0.1:${port}/${this.bucket}/${prefix}`;
  }

  /** Makes an empty store: a real CONFIG, and nothing else yet. Resolves to its prefix, without slashes at its ends. */
  async emptyStore(): Promise<string> {
    const prefix = `stores/${randomBytes(6).toString('hex')}`;
    await this.put(`${prefix}/CONFIG`, await readFile(fixturePath('CONFIG')));
    return prefix;
  }

  /** Removes all objects of a store but its CONFIG. What gateways know of the bucket stays. */
  async clear(prefix: string): Promise<void> {
    for (const kind of ['packfiles', 'states', 'locks']) {
      // Quicker than requests.
      if (this.program === 'versitygw') await rm(join(this.folder, prefix, kind), { recursive: true, force: true });
      else await this.deleteAll(`${prefix}/${kind}/`);
    }
  }

  /** Puts an object as another program does. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: bytes }));
  }

  /** Starts it again, on the same port, if it was paused. */
  async resume(): Promise<void> {
    if (this.process !== undefined) return;
    const [program = '', ...args] = this.command;
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        MINIO_ROOT_USER: access.accessKeyId,
        MINIO_ROOT_PASSWORD: access.secretAccessKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
      },
    });
    this.process = child;
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    for (let attempt = 0; !(await answers(this.port)); attempt++) {
      if (child.exitCode !== null || attempt > 1000) throw new Error(`${program} didn't start: ${complaints}`);
      await sleep(25);
    }
  }

  /** The multiparts that were begun below a prefix, and neither completed nor aborted. */
  async multiparts(prefix: string): Promise<string[]> {
    const { Uploads = [] } = await this.client.send(
      new ListMultipartUploadsCommand({ Bucket: this.bucket, Prefix: prefix }),
    );
    return Uploads.map(({ Key = '' }) => Key);
  }

  /** Kills it. */
  async pause(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.pause();
    this.disk?.unmount();
  }

  private async makeBucket(): Promise<void> {
    try {
      await this.client.send(new CreateBucketCommand({ Bucket: this.bucket }));
    } catch (error) {
      // MinIO may make it while it starts, and say that it can't yet; the SDK asks again.
      if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
    }
  }

  private async deleteAll(prefix: string): Promise<void> {
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix }));
    if (Contents.length === 0) return;
    const Delete = { Objects: Contents.map(({ Key }) => ({ Key })) };
    await this.client.send(new DeleteObjectsCommand({ Bucket: this.bucket, Delete }));
  }

  private async keepVersions(): Promise<void> {
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await this.client.send(new PutBucketVersioningCommand({ Bucket: this.bucket, VersioningConfiguration }));
  }
}

/**
 * A server for the tests of a `describe`: started before them, and stopped after them. Without Go to build it they are skipped; in CI they fail.
 */
export function s3Server(options: S3ServerOptions = {}): () => S3Server {
  let server: S3Server | undefined;
  before('start an S3 server', async function () {
    this.timeout(600_000);
    if (!process.env['CI'] && options.program !== 'minio' && !hasGo()) this.skip();
    server = await S3Server.start(options);
  });
  after('stop the S3 server', () => server?.stop());
  return () => {
    if (server === undefined) throw new Error('no S3 server runs');
    return server;
  };
}
