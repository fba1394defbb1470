import type { AuditEntry } from '../core/audit.js';
import type { Refusal } from './status.js';

const remembered = 50;

/** The last refusals. Of one caller's that differ in nothing but time, store and object, the last one, so that it can't push out the others. */
export class Refusals {
  private readonly byKind = new Map<string, Refusal>();

  /** The newest first. */
  get all(): readonly Refusal[] {
    return [...this.byKind.values()].reverse();
  }

  add({ time, store, principal, address, operation, code: refusedWith, reason = '' }: AuditEntry): void {
    const code = refusedWith ?? '';
    const key = `${address} ${principal} ${operation} ${code}`;
    this.byKind.delete(key);
    this.byKind.set(key, { timeMs: Date.parse(time), store, principal, address, operation, code, reason });
    const [oldest] = this.byKind.keys();
    if (this.byKind.size > remembered && oldest !== undefined) this.byKind.delete(oldest);
  }
}
