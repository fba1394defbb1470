import { S3Client } from '@aws-sdk/client-s3';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { s3 } from '../src/backends/s3/backend.js';
import { parseS3Location } from '../src/backends/s3/location.js';
import type { Mac } from '../src/core/object.js';
import type { ByteRange } from '../src/core/range.js';
import { access } from '../test/support/s3-programs.js';
import type { Outcome } from './driver.js';

/*
 * Reads small ranges of a store's packfiles from an S3 server, in one process: through the gateway's store, or by requests of the SDK's signer and
 * HTTP handler, which is the least that a store of S3 can do. Prints an Outcome as JSON.
 *
 *   s3-reader.ts store|requests s3://HOST:PORT/BUCKET FILE-OF-OBJECTS CONNECTIONS SECONDS
 */

type Read = (mac: Mac, range: ByteRange) => Promise<number>;

const [how, location = '', objectsFile = '', connections, seconds] = process.argv.slice(2);
const objects = (await readFile(objectsFile, 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => line.split(' '))
  .map(([mac, size]) => ({ mac: mac as Mac, size: Number(size) }));
const { read, close } = await (how === 'store' ? throughStore() : byRequests());
// The first run warms up.
await run(1);
process.stdout.write(JSON.stringify(await run(Number(seconds))));
await close();

async function run(forSeconds: number): Promise<Outcome> {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  let [ops, bytes] = [0, 0];
  const one = async (): Promise<void> => {
    while (performance.now() - startedMs < forSeconds * 1000) {
      const { mac, size } = objects[Math.floor(Math.random() * objects.length)] ?? { mac: '' as Mac, size: 0 };
      // As plakar's reads: their lengths are log-uniform, from 200 bytes to 64 KiB.
      const length = Math.round(200 * 327 ** Math.random());
      const got = await read(mac, { offset: Math.floor(Math.random() * (size - length)), length });
      bytes += got;
      ops++;
    }
  };
  await Promise.all(Array.from({ length: Number(connections) }, one));
  const { user, system } = process.cpuUsage(cpu);
  return { ops, bytes, seconds: (performance.now() - startedMs) / 1000, clientCpuSeconds: (user + system) / 1e6 };
}

async function throughStore(): Promise<{ read: Read; close: () => Promise<void> }> {
  const env = { AWS_ACCESS_KEY_ID: access.accessKeyId, AWS_SECRET_ACCESS_KEY: access.secretAccessKey };
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const store = await s3.open(
    parseS3Location(location),
    {
      writable: false,
      durable: true,
      maxObjectBytes: 2 ** 40,
      user: { name: 'bench', home: '/nonexistent', env },
      host: { name: 'bench', pid: process.pid, startedMs: 0, isAlive: () => true },
      ssh: { identities: [], knownHosts: [], sshConfig: 'none' } as never,
      s3: { tls: false },
    },
    silent,
  );
  const { signal } = new AbortController();
  const read: Read = async (mac, range) => {
    const { length, release } = await store.get({ kind: 'packfile', mac }, range, { signal });
    release(true);
    return length;
  };
  return { read, close: () => store.close() };
}

async function byRequests(): Promise<{ read: Read; close: () => Promise<void> }> {
  const { endpoint, bucket } = parseS3Location(location);
  const [hostname = '', port] = endpoint.split(':');
  const client = new S3Client({ endpoint: `http://${endpoint}`, region: 'us-east-1', credentials: access });
  const read: Read = async (mac, { offset, length }) => {
    const signer = await client.config.signer();
    const request = await signer.sign({
      method: 'GET',
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: `/${bucket}/packfiles/${mac.slice(0, 2)}/${mac}`,
      headers: { host: endpoint, range: `bytes=${offset}-${offset + length - 1}` },
    });
    const { response } = await client.config.requestHandler.handle(request as never);
    if (response.statusCode !== 206) throw new Error(`the answer's status is ${response.statusCode}`);
    const body = response.body as Readable;
    return new Promise((resolve, reject) => {
      let got = 0;
      body.on('data', (chunk: Buffer) => (got += chunk.length));
      body.once('end', () => resolve(got)).once('error', reject);
    });
  };
  return { read, close: async () => client.destroy() };
}
