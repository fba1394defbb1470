import {
  isSegmentName,
  type DigestStorage,
  type SegmentAppender,
  type SegmentInfo,
  type SegmentReadOptions,
} from '../../core/digests.js';
import { StoreError } from '../../core/errors.js';
import type { OpContext } from '../../core/store.js';
import { mapAhead } from '../../lib/map-ahead.js';
import type { S3Bucket } from './client.js';
import type { Keys } from './keys.js';
import type { ListedKey } from './list-page.js';
import { readWhole } from './reading.js';

export interface S3DigestsOptions {
  readonly bucket: S3Bucket;
  readonly keys: Keys;
  /** Whether the operator wants acknowledged puts to be durable: S3 services promise it. */
  readonly durable: boolean;
  /** Throws unless the store can be written. */
  readonly requireWritable: () => void;
  /** Fails with `unavailable` if the store isn't there. */
  readonly requireStore: (signal: AbortSignal) => Promise<void>;
}

/** How many objects are read at once. */
const concurrency = 8;

/** How many digits the numbers of a segment's parts have. */
const digits = 8;

/**
 * The segments of a store in a bucket, whose objects can't be appended to: each part of a segment is an object of its own, which is written once, and
 * they are read as if they were one.
 */
export class S3Digests implements DigestStorage {
  /** Some 10,000 parts, where each has one digest. */
  readonly maxSegmentBytes = 2 * 1024 * 1024;

  constructor(private readonly options: S3DigestsOptions) {}

  get isDurable(): boolean {
    return this.options.durable;
  }

  async list({ signal }: OpContext): Promise<readonly SegmentInfo[]> {
    const { bucket, keys, requireStore } = this.options;
    const sizes = new Map<string, number>();
    for await (const page of bucket.list(keys.digests, signal)) {
      for (const { key, size } of page) {
        const [name = '', number = ''] = key.slice(keys.digests.length).split('/');
        if (isPart(name, number)) sizes.set(name, (sizes.get(name) ?? 0) + size);
      }
    }
    if (sizes.size === 0) await requireStore(signal);
    return [...sizes].map(([name, size]) => ({ name, size })).sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async *read(
    name: string,
    { signal }: OpContext,
    { from = 0 }: SegmentReadOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { bucket } = this.options;
    const parts: ListedKey[] = [];
    let skipped = 0;
    for (const part of await this.parts(name, signal)) {
      if (parts.length === 0 && skipped + part.size <= from) skipped += part.size;
      else parts.push(part);
    }
    // The first one alone, as often no other one is wanted.
    const [first, ...others] = parts;
    if (first === undefined) return;
    yield (await readWhole(bucket, first.key, signal)).subarray(from - skipped);
    yield* mapAhead(others, concurrency, ({ key }) => readWhole(bucket, key, signal));
  }

  async create(name: string): Promise<SegmentAppender> {
    const { bucket, keys, requireWritable } = this.options;
    requireWritable();
    let next = 1;
    return {
      append: async (bytes) => {
        const key = keys.segmentPart(name, String(next++).padStart(digits, '0'));
        // What is uncertain is settled by the caller, who begins another segment.
        const outcome = await bucket.put(key, bytes, { ifAbsent: true });
        if (outcome === 'exists') throw new StoreError('internal', 'a segment of digests has this name already');
      },
      close: async () => undefined,
    };
  }

  private async parts(name: string, signal: AbortSignal): Promise<ListedKey[]> {
    const { bucket, keys } = this.options;
    const prefix = keys.segmentPart(name, '');
    const found: ListedKey[] = [];
    for await (const page of bucket.list(prefix, signal)) {
      found.push(...page.filter(({ key }) => isPart(name, key.slice(prefix.length))));
    }
    if (found.length === 0) throw new StoreError('not_found', 'no such segment of digests');
    return found.sort((one, other) => (one.key < other.key ? -1 : 1));
  }
}

function isPart(name: string, number: string): boolean {
  return isSegmentName(name) && /^\d{8}$/.test(number);
}
