import { hasCode } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext, Store } from '../core/store.js';
import { untilAborted } from '../lib/until-aborted.js';

/** How many sizes are remembered: objects never change. */
const maxKnown = 10_000;

/** A read doesn't wait longer for the size, in milliseconds. */
const limitMs = 2000;

/** For how long a mirror that didn't answer isn't asked again, in milliseconds. */
const pauseMs = 30_000;

/** The sizes of a mirror's packfiles and states, as far as they are asked for. */
export class MirrorSizes {
  private readonly known = new Map<string, number>();
  private askAgainMs = -Infinity;

  constructor(private readonly mirror: Pick<Store, 'stat'>) {}

  /** An object's size in the mirror, in bytes; undefined if it isn't there, or the mirror doesn't answer soon. Never rejects. */
  async of(ref: ObjectRef, { signal }: OpContext): Promise<number | undefined> {
    const name = `${ref.kind} ${ref.mac}`;
    const known = this.known.get(name);
    if (known !== undefined || performance.now() < this.askAgainMs) return known;
    const limit = AbortSignal.timeout(limitMs);
    try {
      const { size } = await untilAborted(this.mirror.stat(ref, { signal: AbortSignal.any([signal, limit]) }), limit);
      this.remember(name, size);
      return size;
    } catch (error) {
      const isAnswer = hasCode(error, 'not_found') || hasCode(error, 'canceled');
      if (!isAnswer || limit.aborted) this.askAgainMs = performance.now() + pauseMs;
      return undefined;
    }
  }

  private remember(name: string, size: number): void {
    const [oldest] = this.known.keys();
    if (this.known.size >= maxKnown && oldest !== undefined) this.known.delete(oldest);
    this.known.set(name, size);
  }
}
