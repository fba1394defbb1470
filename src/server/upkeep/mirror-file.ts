import type { Logger } from '../../lib/logger.js';
import { StateFile } from './state-file.js';

/** The two copies, by their locations. */
export interface MirroredCopies {
  readonly location: string;
  readonly mirror: string;
}

/** Up to when a store's second copy is known to be complete, as in MirrorReport; or since when there is one, which never was. */
export type MirrorTimes =
  { readonly completeAsOfMs: number; readonly lastSuccessMs: number } | { readonly beganMs: number };

type MirrorState = MirroredCopies & MirrorTimes;

/** Keeps in the state folder since when a store's second copy is behind, so that restarts don't hide it. */
export class MirrorFile {
  private readonly file: StateFile<MirrorState>;

  /** @param stateDir undefined: nothing is kept */
  constructor(stateDir: string | undefined, name: string, log: Pick<Logger, 'warn'>) {
    const loss = 'the lag of the mirror counts anew';
    this.file = new StateFile({ stateDir, folder: 'mirror', name, log, isState, loss });
  }

  /** What was kept of these copies; undefined if there is nothing, or it can't be read. What is in the future, since the clock was wrong, counts as now. */
  async read({ location, mirror }: MirroredCopies): Promise<MirrorTimes | undefined> {
    const state = await this.file.read();
    if (state === undefined || state.location !== location || state.mirror !== mirror) return undefined;
    const nowMs = Date.now();
    if ('beganMs' in state) return { beganMs: Math.min(state.beganMs, nowMs) };
    const { completeAsOfMs, lastSuccessMs } = state;
    return { completeAsOfMs: Math.min(completeAsOfMs, nowMs), lastSuccessMs: Math.min(lastSuccessMs, nowMs) };
  }

  /** Keeps what is known of these copies, in place of what was known before. Never rejects. */
  write({ location, mirror }: MirroredCopies, times: MirrorTimes): Promise<void> {
    return this.file.write({ location, mirror, ...times });
  }
}

function isState(value: unknown): value is MirrorState {
  const state = (value ?? {}) as Partial<Record<string, unknown>>;
  const { location, mirror, beganMs, completeAsOfMs, lastSuccessMs } = state;
  const times = 'beganMs' in state ? [beganMs] : [completeAsOfMs, lastSuccessMs];
  return typeof location === 'string' && typeof mirror === 'string' && times.every(Number.isFinite);
}
