import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { basename } from 'node:path';
import { access, commandOf } from '../../test/support/s3-programs.js';
import { freePort } from '../../test/support/sshd.js';
import type { Bench } from '../bench.js';
import type { NodeProgram } from '../nodes.js';
import { startGateway } from './gateway.js';
import { Server } from './server.js';
import type { GrpcTarget, HttpTarget } from './target.js';

/** versitygw, an S3 server on the benchmark's folder: each store in it is a bucket. */
export class S3Host {
  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /** Builds versitygw where it isn't there yet, which takes minutes. */
  static async start(bench: Bench): Promise<S3Host> {
    const port = await freePort();
    const [program = '', ...args] = await commandOf('versitygw', { port, root: bench.folder, versions: false });
    return new S3Host(await Server.start(bench, { name: 'versitygw', program, args, ports: [port] }), port);
  }

  /** Where the store in a folder is, for a gateway. */
  location(store: string): string {
    return `s3://127.0.0.1:${this.port}/${basename(store)}`;
  }

  /** @param args the store's folder, and more options for the gateway */
  startGateway(
    bench: Bench,
    node: NodeProgram,
    [store, ...args]: readonly [store: string, ...args: string[]],
    variant?: string,
  ): Promise<HttpTarget & GrpcTarget> {
    const env = { AWS_ACCESS_KEY_ID: access.accessKeyId, AWS_SECRET_ACCESS_KEY: access.secretAccessKey };
    return startGateway(bench, node, [this.location(store), '--no-s3-tls', ...args], { variant, env });
  }

  /** versitygw itself, as the limit of what a gateway before it can do: everybody may read and write this bucket, without signatures. */
  async bare(store: string): Promise<HttpTarget> {
    const bucket = basename(store);
    const client = new S3Client({
      endpoint: `http://127.0.0.1:${this.port}`,
      region: 'us-east-1',
      credentials: access,
      forcePathStyle: true,
    });
    const statement = {
      Effect: 'Allow',
      Principal: '*',
      Action: ['s3:GetObject', 's3:PutObject'],
      Resource: `arn:aws:s3:::${bucket}/*`,
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    client.destroy();
    const http = {
      address: `127.0.0.1:${this.port}`,
      prefix: `/${bucket}/packfiles/`,
      buckets: true,
      inclusive: true,
      method: 'PUT',
      sized: true,
    } as const;
    return { name: 'versitygw', server: this.server, http };
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
