import { createHash } from 'node:crypto';
import type { Digest, DigestRecorder } from '../core/digests.js';
import { StoreError } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext, PutResult, Store } from '../core/store.js';
import type { Logger } from '../lib/logger.js';
import { RateLimitedLog } from '../lib/rate-limited-log.js';
import { watched } from '../lib/watched.js';
import { Layer } from './layer.js';

export interface DigestedOptions {
  /** Whether the digests of what is put are recorded, or deletes only. Default: true. */
  readonly puts?: boolean;
  readonly recorder: DigestRecorder;
  /** The store's name in the log. */
  readonly name: string;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * A store decorator that records the digest of every packfile and state that is put, from the bytes as they pass by. A put succeeds only when
 * the digest is certain to stay; if it can't be recorded, the object stays, and putting it again records the digest. There is one for each store,
 * around the quota, so that this counts the object in any case.
 */
export class Digested extends Layer {
  private readonly log: RateLimitedLog;

  constructor(
    inner: Store,
    private readonly options: DigestedOptions,
  ) {
    super(inner);
    this.log = new RateLimitedLog(options.log);
  }

  /** Also an object that is there is recorded: the process that stored it may have died before it recorded that. */
  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    if (ref.kind === 'lock' || this.options.puts === false) return this.inner.put(ref, body, ctx);
    const hash = createHash('sha256');
    let size = 0;
    const hashed = watched(body, {
      chunk: (chunk) => {
        hash.update(chunk);
        size += chunk.length;
      },
    });
    const result = await this.inner.put(ref, hashed, ctx);
    await this.record(ref, { size, sha256: hash.digest() });
    return result;
  }

  /** What can't be recorded is deleted all the same, as that is what makes room on a full disk. */
  override async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    if (ref.kind !== 'lock') await this.recordDelete(ref);
    await this.inner.delete(ref, ctx);
  }

  /** Ends the recording, and leaves the store open. */
  stop(): Promise<void> {
    return this.options.recorder.close();
  }

  override async close(): Promise<void> {
    await this.stop();
    await super.close();
  }

  private async record(ref: ObjectRef, digest: Digest): Promise<void> {
    try {
      await this.options.recorder.record(ref, digest);
    } catch (error) {
      const { code, message } = StoreError.from(error);
      const text = `this ${ref.kind} is stored, but its digest can't be recorded: ${message}; try again`;
      throw new StoreError(code, text, { cause: error });
    }
  }

  private async recordDelete(ref: ObjectRef): Promise<void> {
    const { recorder, name } = this.options;
    try {
      await recorder.recordDelete(ref);
    } catch (error) {
      const { code, message } = StoreError.from(error);
      this.log.warn(
        'delete',
        { store: name, code, ...ref },
        `a delete can't be recorded yet, so that verify may report the ${ref.kind} as missing: ${message}`,
      );
    }
  }
}
