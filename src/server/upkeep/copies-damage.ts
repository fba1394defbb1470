import type { Damage, VerifiedRef, VerifyReport } from '../../integrity/verify-report.js';
import { damageText, mirrorDamageText, type Copies } from './damage-text.js';
import { KnownDamage, type KnownDamageOptions } from './known-damage.js';

export interface CopiesDamageOptions extends Omit<KnownDamageOptions, 'tell'> {
  readonly copies: Copies;
  /** Told what people should be told: a sentence without its end. */
  readonly tell: (text: string) => void;
}

/** What is known to be damaged of a store, and of its mirror. */
export class CopiesDamage {
  readonly store: KnownDamage;
  readonly mirror: KnownDamage;

  constructor({ copies, tell, ...times }: CopiesDamageOptions) {
    this.store = new KnownDamage({ ...times, tell: (damaged) => tell(damageText(damaged, copies)) });
    this.mirror = new KnownDamage({ ...times, tell: (damaged) => tell(mirrorDamageText(damaged, copies)) });
  }

  /** In both of them; an object may be damaged in each. */
  get refs(): readonly VerifiedRef[] {
    return [...this.store.refs, ...this.mirror.refs];
  }

  /** Tells what was never told. */
  tellNew(): void {
    this.store.tellNew();
    this.mirror.tellNew();
  }

  /** Tells nothing more. */
  stop(): void {
    this.store.stop();
    this.mirror.stop();
  }

  /**
   * Forgets what was found whole. Returns how many objects these are.
   *
   * @param isCompared whether the mirror was read as well
   * @param checked what was looked at. Default: everything
   */
  keepOnly({ damaged, otherDamaged }: VerifyReport, isCompared: boolean, checked?: readonly VerifiedRef[]): number {
    const mended = this.store.keepOnly(refsOf(damaged), checked);
    return isCompared ? mended + this.mirror.keepOnly(refsOf(otherDamaged), checked) : mended;
  }
}

function refsOf(damaged: readonly Damage[]): readonly VerifiedRef[] {
  return damaged.map(({ ref }) => ref);
}
