import type { ActivitySink } from '../core/activity.js';
import type { AuditEntry, AuditOperation } from '../core/audit.js';
import { callerName, type Caller } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store } from '../core/store.js';
import { watched } from '../lib/watched.js';
import { Layer } from './layer.js';

/** Who uses which store. */
export interface AuditSubject {
  readonly caller: Caller;
  /** The store's name. */
  readonly store: string;
}

type AuditEvent = Pick<AuditEntry, 'operation' | 'outcome'> & Partial<AuditEntry>;

/** An entry for an operation that ended now. */
export function auditEntry({ caller, store }: AuditSubject, event: AuditEvent): AuditEntry {
  const { address, listener } = caller.peer;
  return { time: new Date().toISOString(), principal: callerName(caller), address, listener, store, ...event };
}

/**
 * A store decorator that records one caller's writes, deletes and refusals, and counts its reads. It is the outermost layer, so it records
 * what the caller was told. Reads leave no entry unless they are refused.
 */
export class Audited extends Layer {
  constructor(
    inner: Store,
    private readonly activity: ActivitySink,
    private readonly subject: AuditSubject,
  ) {
    super(inner);
  }

  override config(ctx: OpContext): Promise<Uint8Array> {
    return this.recordingRefusal('config', {}, this.inner.config(ctx));
  }

  override async *list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    try {
      yield* this.inner.list(kind, ctx);
    } catch (error) {
      this.recordRefusal('list', { kind }, error);
      throw error;
    }
  }

  override stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    return this.recordingRefusal('stat', ref, this.inner.stat(ref, ctx));
  }

  override async get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    try {
      const read = await this.inner.get(ref, range, ctx);
      const { caller, store } = this.subject;
      this.activity.read(store, callerName(caller), caller.peer.address, read.length);
      return read;
    } catch (error) {
      this.recordRefusal('get', ref, error);
      throw error;
    }
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    let bytes = 0;
    const counted = watched(body, { chunk: ({ length }) => void (bytes += length) });
    try {
      const result = await this.inner.put(ref, counted, ctx);
      const outcome = ref.kind === 'lock' ? 'stored' : result.created ? 'created' : 'unchanged';
      this.record({ operation: 'put', ...ref, outcome, bytes });
      return result;
    } catch (error) {
      this.record({ operation: 'put', ...ref, ...failure(error), bytes });
      throw error;
    }
  }

  override async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    try {
      await this.inner.delete(ref, ctx);
      const outcome = ref.kind !== 'lock' && this.inner.info().trashMs > 0 ? 'trashed' : 'deleted';
      this.record({ operation: 'delete', ...ref, outcome });
    } catch (error) {
      this.record({ operation: 'delete', ...ref, ...failure(error) });
      throw error;
    }
  }

  private async recordingRefusal<T>(
    operation: AuditOperation,
    about: Partial<ObjectRef>,
    result: Promise<T>,
  ): Promise<T> {
    try {
      return await result;
    } catch (error) {
      this.recordRefusal(operation, about, error);
      throw error;
    }
  }

  private recordRefusal(operation: AuditOperation, about: Partial<ObjectRef>, thrown: unknown): void {
    const event = failure(thrown);
    if (event.outcome === 'refused') this.record({ operation, ...about, ...event });
  }

  private record(event: AuditEvent): void {
    this.activity.record(auditEntry(this.subject, event));
  }
}

/** How the log tells a refusal or a failure. */
export function failure(thrown: unknown): Pick<AuditEntry, 'outcome' | 'code' | 'reason'> {
  const { code, message } = StoreError.from(thrown);
  const isRefusal = code === 'permission_denied' || code === 'unauthenticated';
  return { outcome: isRefusal ? 'refused' : 'failed', code, reason: message };
}
