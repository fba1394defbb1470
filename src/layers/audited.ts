import type { AuditEntry, AuditOperation, AuditTrail } from '../core/audit.js';
import { callerName, type Caller } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectStat, OpContext, PutResult, Store } from '../core/store.js';
import { watched } from '../lib/watched.js';
import { Layer } from './layer.js';

/** Who does something, and with which store. */
export interface AuditSubject {
  readonly caller: Caller;
  /** The store's name. */
  readonly store: string;
}

/** What is particular about an entry. */
type AuditEvent = Pick<AuditEntry, 'operation' | 'outcome'> & Partial<AuditEntry>;

/** An entry about something that is over now. */
export function auditEntry({ caller, store }: AuditSubject, event: AuditEvent): AuditEntry {
  const { address, listener } = caller.peer;
  return { time: new Date().toISOString(), principal: callerName(caller), address, listener, store, ...event };
}

/** Whether an error is a refusal, as against a failure. */
export function isRefusal({ code }: StoreError): boolean {
  return code === 'permission_denied' || code === 'unauthenticated';
}

/**
 * A store whose writes, deletes and refusals are recorded, for one caller. The outermost layer: what it records is what the
 * caller was told. Reads that succeed, or fail for another reason than that they aren't allowed, leave no trace.
 */
export class Audited extends Layer {
  constructor(
    inner: Store,
    private readonly trail: AuditTrail,
    private readonly subject: AuditSubject,
  ) {
    super(inner);
  }

  override config(ctx: OpContext): Promise<Uint8Array> {
    return this.watched(this.inner.config(ctx), 'config');
  }

  override async *list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    try {
      yield* this.inner.list(kind, ctx);
    } catch (error) {
      this.recordRefusal(error, 'list', { kind });
      throw error;
    }
  }

  override stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    return this.watched(this.inner.stat(ref, ctx), 'stat', ref);
  }

  override get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): ReturnType<Store['get']> {
    return this.watched(this.inner.get(ref, range, ctx), 'get', ref);
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    const about = { operation: 'put', kind: ref.kind, mac: ref.mac } as const;
    let bytes = 0;
    const counted = watched(body, { chunk: ({ length }) => void (bytes += length) });
    const replaces = ref.kind === 'lock' && (await this.isThere(ref, ctx));
    try {
      const result = await this.inner.put(ref, counted, ctx);
      const outcome = result.created ? (replaces ? 'replaced' : 'created') : 'unchanged';
      this.record({ ...about, outcome, bytes });
      return result;
    } catch (error) {
      this.record({ ...about, ...failure(error), bytes });
      throw error;
    }
  }

  override async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    const about = { operation: 'delete', kind: ref.kind, mac: ref.mac } as const;
    try {
      await this.inner.delete(ref, ctx);
      this.record({ ...about, outcome: 'deleted' });
    } catch (error) {
      this.record({ ...about, ...failure(error) });
      throw error;
    }
  }

  /** Gives the same promise back: whoever reads doesn't wait for this. */
  private watched<T>(result: Promise<T>, operation: AuditOperation, ref?: ObjectRef): Promise<T> {
    result.catch((error: unknown) => this.recordRefusal(error, operation, ref));
    return result;
  }

  private recordRefusal(error: unknown, operation: AuditOperation, about: Partial<ObjectRef> = {}): void {
    if (isRefusal(StoreError.from(error))) this.record({ operation, ...about, ...failure(error) });
  }

  /** The contract has no answer for it, since nobody else asks. Of locks put at the same moment, two may be `created`. */
  private async isThere(ref: ObjectRef, ctx: OpContext): Promise<boolean> {
    return this.inner.stat(ref, ctx).then(
      () => true,
      () => false,
    );
  }

  private record(event: AuditEvent): void {
    this.trail.record(auditEntry(this.subject, event));
  }
}

function failure(thrown: unknown): Pick<AuditEntry, 'outcome' | 'code' | 'reason'> {
  const error = StoreError.from(thrown);
  return { outcome: isRefusal(error) ? 'refused' : 'failed', code: error.code, reason: error.message };
}
