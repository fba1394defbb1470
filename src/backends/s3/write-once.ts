import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, ifPresent } from '../../core/errors.js';
import type { S3Bucket, WriteOutcome } from './client.js';
import { failureIn, isConflict, isNoSuchUpload, type S3Failure } from './errors.js';
import type { Keys } from './keys.js';
import { isKnownMistake } from './start-error.js';

/** Whether a service keeps what is stored from being overwritten; otherwise what was tried and what came, for the operator. */
export type WriteOnceProof =
  { readonly isProven: true } | { readonly isProven: false; readonly tried: string; readonly got: string };

/** How many writes race for one name. */
const racers = 8;

/** One of the two ways to write an object if there is none. */
interface Way {
  /** The request that has the condition. */
  readonly request: string;
  /** The name of its object for the probe. */
  readonly name: string;
  write(bucket: S3Bucket, key: string, bytes: Uint8Array): Promise<WriteOutcome>;
}

const ways: readonly Way[] = [
  {
    request: 'PutObject',
    name: 'write-once-put',
    write: (bucket, key, bytes) => bucket.put(key, bytes, { ifAbsent: true }),
  },
  { request: 'CompleteMultipartUpload', name: 'write-once-multipart', write: writeByParts },
];

/**
 * Finds out whether a bucket's service honours `If-None-Match: *`, which some ignore without a word, and some only in one of the two ways to
 * write. Writes a few small objects below `kloset-gateway/` at the first time, and needs no right to delete; the first time it has writes
 * race as well.
 *
 * Fails with a StoreError where the bucket can't be reached, or refuses the gateway's keys.
 */
export async function proveWriteOnce(bucket: S3Bucket, keys: Keys): Promise<WriteOnceProof> {
  const folder = probeFolder(keys);
  for (const way of ways) {
    const proof = await refusesSecond(bucket, way, `${folder}${way.name}`);
    if (!proof.isProven) return proof;
  }
  const passed = `${folder}write-once-races-passed`;
  if ((await ifPresent(bucket.head(passed))) !== undefined) return { isProven: true };
  for (const way of ways) {
    const proof = await hasOneWinner(bucket, way, `${folder}write-once-race-${randomUUID()}`);
    if (!proof.isProven) return proof;
  }
  await tryWrite(() => bucket.put(passed, note, { ifAbsent: true }));
  return { isProven: true };
}

/** For the log: what was tried, what came, and what to do. */
export function describeUnproven({ tried, got }: WriteOnceProof & { isProven: false }): string {
  return (
    `the store is read-only, since its S3 service doesn't prove that it never overwrites packfiles: tried ${tried}, got ${got}; ` +
    'to write, use a service or a release of it that honours If-None-Match: * on PutObject and CompleteMultipartUpload (docs/s3.md lists some)'
  );
}

/** What the keys of the probe start with: outside the folders of the store's objects, whose lists plakar expects nothing else in. */
export function probeFolder({ root }: Keys): string {
  return `${root}kloset-gateway/`;
}

const note = Buffer.from('kloset-gateway finds out with this object whether the service overwrites objects.\n');

/** An object that is there already, from an earlier start, saves the first write. */
async function refusesSecond(bucket: S3Bucket, way: Way, key: string): Promise<WriteOnceProof> {
  const write = (): Promise<Answer> => tryWrite(() => way.write(bucket, key, note));
  const first = await write();
  const second = first === 'written' ? await write() : first;
  if (second === 'exists' || second === 'repeated') return { isProven: true };
  const tried = `${way.request} with If-None-Match: * ${first === 'written' ? 'twice' : 'once'} on ${key}`;
  return { isProven: false, tried, got: second === 'written' ? 'success both times' : second };
}

async function hasOneWinner(bucket: S3Bucket, way: Way, key: string): Promise<WriteOnceProof> {
  const contents = Array.from({ length: racers }, (_, racer) => Buffer.from(`${key}: writer ${racer}\n`));
  const answers = await Promise.all(contents.map((bytes) => tryWrite(() => way.write(bucket, key, bytes))));
  const winners = answers.filter((answer) => answer === 'written').length;
  if (winners === 1 || (winners === 0 && answers.includes('repeated'))) return { isProven: true };
  const tried = `${racers} times ${way.request} with If-None-Match: * at once on ${key}`;
  return { isProven: false, tried, got: `success for ${winners} of them` };
}

/**
 * What came: the outcome; `repeated` if the object exists, and may be that of an earlier attempt whose answer was lost; or the error of a
 * service that doesn't know the request or its condition.
 */
type Answer = WriteOutcome | 'repeated' | (string & {});

/** How often a write is sent that meets another one in progress (409), and the shortest wait before it is sent again, in milliseconds. */
const maxAttempts = 8;
const pauseMs = 100;

/** Sends a write. Fails where its error says nothing about the service's abilities. */
async function tryWrite(write: () => Promise<WriteOutcome>): Promise<Answer> {
  for (let attempt = 1, mayBeOwn = false; ; attempt++) {
    try {
      const outcome = await write();
      return outcome === 'exists' && mayBeOwn ? 'repeated' : outcome;
    } catch (error) {
      const failure = failureIn(error);
      if (failure?.status === 412) return 'repeated';
      if (failure !== undefined && (hasCode(error, 'unimplemented') || isUnknownCondition(failure)))
        return failure.message;
      // What a repeated Complete says whose first answer was lost.
      mayBeOwn ||= isNoSuchUpload(error);
      if (attempt === maxAttempts || !(isConflict(error) || isNoSuchUpload(error))) throw error;
      await sleep(pauseMs * (1 + Math.random()));
    }
  }
}

/** Whether a service refuses a write since it has the condition, and doesn't say so by 501. */
function isUnknownCondition(failure: S3Failure): boolean {
  const isConditional = ways.some(({ request }) => request === failure.operation);
  return failure.status === 400 && isConditional && failure.reason !== 'RequestTimeout' && !isKnownMistake(failure);
}

async function writeByParts(bucket: S3Bucket, key: string, bytes: Uint8Array): Promise<WriteOutcome> {
  const options = { ifAbsent: true };
  const id = await bucket.multiparts.create(key, options);
  let outcome: WriteOutcome | undefined;
  try {
    const etag = await bucket.multiparts.upload(key, id, 1, bytes);
    outcome = await bucket.multiparts.complete(key, id, [etag], options);
    return outcome;
  } finally {
    // What can't be removed now is left to `abortStaleUploads`.
    if (outcome !== 'written') await bucket.multiparts.abort(key, id).catch(() => undefined);
  }
}
