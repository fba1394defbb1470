import type { S3Bucket } from './client.js';
import { compareStored, type Digest } from './comparing.js';
import { failureIn } from './errors.js';
import { inParts } from './listing.js';
import type { Version, VersionsMarker, VersionsPage } from './versions-page.js';

/** All versions and markers of one key, the newest first. There is at least one. */
export type History = readonly Version[];

/**
 * What may be removed for good without a change of what is there now: all of a history but the latest. Nothing where the service doesn't say that
 * the first one is the latest: what it says of the others can't be trusted then.
 */
export function pastOf([newest, ...older]: History): History {
  return newest?.isLatest === true ? older.filter(({ isLatest }) => !isLatest) : [];
}

/** Whether the bucket refuses to remove a version, for want of a right or by object lock, to which MinIO answers `InvalidRequest`. */
export function isRefusedRemoval(error: unknown): boolean {
  const failure = failureIn(error);
  return failure?.status === 403 || failure?.reason === 'InvalidRequest';
}

/** What a bucket keeps of its objects' past. */
export class Versions {
  constructor(
    private readonly bucket: S3Bucket,
    /** How many versions a page has. Default: as many as the service gives. */
    private readonly pageKeys?: number,
  ) {}

  /** The history of one key; empty if there never was an object, or nothing is left of it. */
  async of(key: string, signal?: AbortSignal): Promise<History> {
    const all: Version[] = [];
    for await (const histories of this.in(key, signal)) all.push(...histories.flat());
    return all.filter((version) => version.key === key);
  }

  /** The histories of all keys of a folder of 256 buckets, in batches. */
  async *below(folder: string, signal: AbortSignal): AsyncGenerator<History[], void, undefined> {
    const first = await this.bucket.versionsPage(folder, undefined, signal, this.pageKeys);
    // Most folders take one request.
    if (first.next === undefined) return yield byKey(first.versions);
    yield* inParts(signal, (digit, shared) => this.in(`${folder}${digit}`, shared));
  }

  /** The histories of all keys that start with `prefix`, in batches. */
  async *in(prefix: string, signal?: AbortSignal): AsyncGenerator<History[], void, undefined> {
    let marker: VersionsMarker | undefined;
    // A page may end within a history.
    let last: History = [];
    do {
      const page: VersionsPage = await this.bucket.versionsPage(prefix, marker, signal, this.pageKeys);
      const histories = byKey([...last, ...page.versions]);
      last = page.next === undefined ? [] : (histories.pop() ?? []);
      yield histories;
      marker = page.next;
    } while (marker !== undefined);
  }

  /**
   * Makes a key's newest version, which is below delete markers, its object again, if it has those bytes. For services that take a marker
   * for an object (versitygw 1.8.0), and refuse to put another one.
   */
  async bringBack(key: string, digest: Digest, signal: AbortSignal): Promise<boolean> {
    const history = await this.of(key, signal);
    const [newest] = history;
    if (newest?.isMarker !== true) return false;
    const version = history.find(({ isMarker }) => !isMarker);
    // Without a version the markers are in the way of a new one, and of no use.
    if (version === undefined) await this.removeAll(history, signal);
    if (version === undefined || version.size !== digest.size) return false;
    if ((await compareStored(this.bucket, key, digest, signal, version.versionId)) !== 'same') return false;
    await this.removeAll(history.slice(0, history.indexOf(version)), signal);
    return true;
  }

  /** Removes versions and markers for good, one after the other. */
  async removeAll(versions: readonly Version[], signal?: AbortSignal): Promise<void> {
    for (const { key, versionId } of versions) await this.bucket.delete(key, versionId, signal);
  }
}

function byKey(versions: readonly Version[]): History[] {
  const histories: Version[][] = [];
  for (const version of versions) {
    const last = histories.at(-1);
    if (last?.[0]?.key !== version.key) histories.push([version]);
    // versitygw 1.8.0 begins a page that goes on within a history with the newest again.
    else if (!last.some(({ versionId }) => versionId === version.versionId)) last.push(version);
  }
  return histories;
}
