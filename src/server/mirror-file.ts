import type { Logger } from '../lib/logger.js';
import { StateFile } from './state-file.js';

/** What is remembered of a store's second copy. Times are in ms since 1970-01-01 UTC. */
export interface MirrorState {
  /** The locations of the store and of its mirror. */
  readonly location: string;
  readonly mirror: string;
  /** As in MirrorReport. */
  readonly completeAsOfMs: number;
  readonly lastSuccessMs: number;
}

/** Keeps in the state folder as of when a store's second copy is complete, so that restarts don't hide that it is behind. */
export class MirrorFile {
  private readonly file: StateFile<MirrorState>;

  /** @param stateDir undefined: nothing is kept */
  constructor(stateDir: string | undefined, name: string, log: Pick<Logger, 'warn'>) {
    const loss = 'the lag of the mirror counts anew';
    this.file = new StateFile({ stateDir, folder: 'mirror', name, log, isState, loss });
  }

  /** What was kept of these copies; undefined if there is nothing, or it can't be read. What is in the future, since the clock was wrong, counts as now. */
  async read({ location, mirror }: Pick<MirrorState, 'location' | 'mirror'>): Promise<MirrorState | undefined> {
    const state = await this.file.read();
    if (state === undefined || state.location !== location || state.mirror !== mirror) return undefined;
    const nowMs = Date.now();
    const { completeAsOfMs, lastSuccessMs } = state;
    return {
      location,
      mirror,
      completeAsOfMs: Math.min(completeAsOfMs, nowMs),
      lastSuccessMs: Math.min(lastSuccessMs, nowMs),
    };
  }

  /** Keeps a state, which replaces the one before. Never rejects. */
  write(state: MirrorState): Promise<void> {
    return this.file.write(state);
  }
}

function isState(value: unknown): value is MirrorState {
  const { location, mirror, completeAsOfMs, lastSuccessMs } = (value ?? {}) as Partial<MirrorState>;
  return (
    typeof location === 'string' && typeof mirror === 'string' && [completeAsOfMs, lastSuccessMs].every(Number.isFinite)
  );
}
