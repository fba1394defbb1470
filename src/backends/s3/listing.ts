import { setMaxListeners } from 'node:events';
import { ifPresent } from '../../core/errors.js';
import { MacBatch } from '../../core/mac-batch.js';
import { isMac, type ObjectKind, type ObjectRef } from '../../core/object.js';
import type { ObjectStat } from '../../core/store.js';
import { merged } from '../../lib/merged.js';
import { hasBuckets } from '../files/layout.js';
import type { S3Bucket } from './client.js';
import type { ListedKey } from './list-page.js';
import { noStore } from './errors.js';
import type { Keys } from './keys.js';

/** What the names of buckets start with. */
const firstDigits = '0123456789abcdef';

/** A long list, read in parts at once: the buckets whose names start with each digit. The first failure of a part ends the others' requests. */
export async function* inParts<T>(
  signal: AbortSignal,
  part: (digit: string, signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const ended = new AbortController();
  // More requests listen to it than Node expects of a signal.
  setMaxListeners(0, ended.signal);
  const end = (): void => ended.abort(signal.reason);
  signal.addEventListener('abort', end);
  let failure: { readonly error: unknown } | undefined;
  async function* endingOthers(digit: string): AsyncGenerator<T, void, undefined> {
    try {
      yield* part(digit, ended.signal);
    } catch (error) {
      failure ??= { error };
      end();
      throw failure.error;
    }
  }
  try {
    if (signal.aborted) end();
    yield* merged([...firstDigits].map(endingOthers));
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** The lists of a store: whole, or ending with an error. */
export class Listing {
  constructor(
    private readonly bucket: S3Bucket,
    private readonly keys: Keys,
    /** How many keys a page has. Default: as many as the service gives. */
    private readonly pageKeys?: number,
  ) {}

  /** The batches of a Store's list: one for each page with objects. */
  async *list(kind: ObjectKind, signal: AbortSignal): AsyncGenerator<MacBatch, void, undefined> {
    const nameOf = this.namesOf(kind);
    for await (const page of this.pages(kind, signal)) {
      const batch = MacBatch.fromNames(page.map(({ key }) => nameOf(key)));
      if (batch.length > 0) yield batch;
    }
  }

  /** As `Store.listStats`. */
  async *listStats(kind: ObjectKind, signal: AbortSignal): AsyncGenerator<ObjectRef & ObjectStat, void, undefined> {
    const nameOf = this.namesOf(kind);
    for await (const page of this.pages(kind, signal)) {
      for (const { key, size, modifiedMs } of page) {
        const mac = nameOf(key);
        if (isMac(mac)) yield { kind, mac, size, modifiedMs };
      }
    }
  }

  /** What comes after the folder that an object of this kind is in; empty for keys that no object of this kind can have. */
  private namesOf(kind: ObjectKind): (key: string) => string {
    const start = this.keys.kind(kind).length;
    if (!hasBuckets(kind)) return (key) => key.slice(start);
    return (key) => {
      const name = key.slice(start + 3);
      return key[start + 2] === '/' && name.startsWith(key.slice(start, start + 2)) ? name : '';
    };
  }

  /** The pages of all keys of a kind, foreign ones included. */
  private async *pages(kind: ObjectKind, signal: AbortSignal): AsyncGenerator<readonly ListedKey[], void, undefined> {
    const { bucket, pageKeys } = this;
    const prefix = this.keys.kind(kind);
    const first = await bucket.listPage(prefix, { maxKeys: pageKeys }, signal);
    if (first.keys.length === 0) await this.requireStore(signal);
    // Most lists of states and locks take one request.
    if (first.next === undefined) yield first.keys;
    else if (!hasBuckets(kind)) yield* bucket.list(prefix, signal, pageKeys);
    else yield* inParts(signal, (digit, shared) => bucket.list(`${prefix}${digit}`, shared, pageKeys));
  }

  /** Fails with `unavailable` if the store isn't there: that an object isn't, or none is, can't be said then. */
  async requireStore(signal: AbortSignal): Promise<void> {
    if ((await ifPresent(this.bucket.head(this.keys.config, signal))) === undefined) throw noStore();
  }
}
