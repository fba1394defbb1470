import type { Damage, VerifiedRef } from '../../integrity/verify-report.js';

/** People are told of damage so long after it was found, together with what is found until then, in milliseconds. */
const defaultGatherMs = 10_000;

/** The least time between two such messages, in milliseconds. */
export const defaultPauseMs = 600_000;

/** More damaged objects are not remembered one by one. */
const maxRemembered = 10_000;

export interface KnownDamageOptions {
  /** Told of damage that is new, some at a time. */
  readonly tell: (damaged: readonly Damage[]) => void;
  readonly gatherMs?: number | undefined;
  readonly pauseMs?: number | undefined;
}

/** The objects of a store that are known to be damaged, and those that people have yet to be told of. */
export class KnownDamage {
  private readonly known = new Map<string, VerifiedRef>();
  /** What people were told of, and is still damaged. */
  private readonly told = new Set<string>();
  private readonly untold = new Map<string, Damage>();
  private toldMs = -Infinity;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: KnownDamageOptions) {}

  get refs(): readonly VerifiedRef[] {
    return [...this.known.values()];
  }

  /** Adds what is known already: it is not reported again. */
  restore(refs: Iterable<VerifiedRef>): void {
    for (const ref of refs) if (this.known.size < maxRemembered) this.known.set(keyOf(ref), ref);
  }

  /** Adds what a pass has found. */
  add(damage: Damage): void {
    this.restore([damage.ref]);
    this.untold.set(keyOf(damage.ref), damage);
    const { gatherMs = defaultGatherMs, pauseMs = defaultPauseMs } = this.options;
    const inMs = Math.max(gatherMs, this.toldMs + pauseMs - performance.now());
    this.timer ??= setTimeout(() => this.tellAll(), inMs).unref();
  }

  /** Forgets the others of those that were checked, by default all: they are whole. Returns how many these are. */
  keepOnly(damaged: readonly VerifiedRef[], checked: readonly VerifiedRef[] = this.refs): number {
    const still = new Set(damaged.map(keyOf));
    const mended = checked.map(keyOf).filter((key) => this.known.has(key) && !still.has(key));
    for (const key of mended) for (const keys of [this.known, this.told, this.untold]) keys.delete(key);
    return mended.length;
  }

  /** Tells what was never told; the rest when its time has come. */
  tellNew(): void {
    this.tell([...this.untold.keys()].filter((key) => !this.told.has(key)));
  }

  /** Tells nothing more. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private tellAll(): void {
    this.timer = undefined;
    this.tell([...this.untold.keys()]);
  }

  private tell(keys: readonly string[]): void {
    const damaged = keys.flatMap((key) => this.untold.get(key) ?? []);
    for (const key of keys) {
      this.untold.delete(key);
      if (this.known.has(key)) this.told.add(key);
    }
    if (this.untold.size === 0) this.stop();
    if (damaged.length === 0) return;
    this.toldMs = performance.now();
    this.options.tell(damaged);
  }
}

function keyOf({ kind, mac }: VerifiedRef): string {
  return `${kind} ${mac}`;
}
