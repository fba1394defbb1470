import type { Checking } from './checking.js';
import type { CopiesDamage } from './copies-damage.js';

/** Before it is looked again whether damage was mended, a pause is at least so many times as long as the last look took. */
const recheckRest = 20;

export interface DamageRecheckOptions {
  readonly checking: Pick<Checking, 'check'>;
  readonly damage: CopiesDamage;
  readonly everyMs: number;
  /** Resolves to whether the time has passed; to false when it is stopped before that. */
  readonly sleep: (ms: number) => Promise<boolean>;
  /** Told how many objects were mended, or deleted. */
  readonly mended: (count: number) => Promise<void>;
}

/** Looks from time to time whether what is damaged was mended, until it is stopped. Never rejects. */
export async function recheckDamage(options: DamageRecheckOptions): Promise<void> {
  let tookMs = 0;
  while (await options.sleep(Math.max(options.everyMs, recheckRest * tookMs))) {
    const beganMs = performance.now();
    const count = await forgetMended(options).catch(() => 0);
    tookMs = performance.now() - beganMs;
    if (count > 0) await options.mended(count);
  }
}

/** Checks what is damaged, and forgets what was mended. Resolves to how many objects these are. */
async function forgetMended({ checking, damage }: DamageRecheckOptions): Promise<number> {
  const { refs } = damage;
  if (refs.length === 0) return 0;
  const { report, isCompared } = await checking.check({ refs });
  return damage.keepOnly(report, isCompared, refs);
}
