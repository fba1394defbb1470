import { defaultPauseMs } from './known-damage.js';

/** What people were told of a store's CONFIG and digests: each text once in a pass, and after a pause in later ones. */
export class KnownProblems {
  private told: readonly string[] = [];
  private toldMs = -Infinity;

  /** @param pauseMs the least time between two messages of the same, in milliseconds. Default: that of damage */
  constructor(private readonly pauseMs = defaultPauseMs) {}

  /** Those texts that are to be told now; they count as told from then on. */
  untold(texts: readonly string[]): readonly string[] {
    const untold = texts.filter((text) => !this.told.includes(text));
    this.told = texts;
    if (untold.length > 0) this.toldMs = performance.now();
    return untold;
  }

  passEnded(): void {
    if (performance.now() - this.toldMs >= this.pauseMs) this.told = [];
  }
}
