import type { Case, Contestant } from './case.js';
import type { Outcome } from './driver.js';
import { cpuSeconds, peak, processesOf, resetPeak } from './measure.js';

/** One run of one contestant. */
export interface Run extends Outcome {
  /** The server's CPU time. */
  readonly cpuSeconds?: number;
  /** The peak memory of the server's largest process, and the sum over all of them. */
  readonly peakMiB?: number;
  readonly peakTotalMiB?: number;
}

export interface CaseRuns {
  readonly name: string;
  readonly contestants: readonly { readonly name: string; readonly runs: readonly Run[] }[];
}

/**
 * Runs a case: all contestants in turns, so that other load on the machine affects all of them alike, and in reversed order every
 * other round, since being first may be an advantage. The first round is a warm-up and isn't counted.
 */
export async function runCase({ name, contestants }: Case, rounds: number): Promise<CaseRuns> {
  const runs = new Map<Contestant, Run[]>(contestants.map((contestant) => [contestant, []]));
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? [...contestants] : [...contestants].reverse();
    for (const contestant of order) {
      const run = await measuredRun(contestant, round);
      if (round > 0) runs.get(contestant)?.push(run);
    }
  }
  return { name, contestants: [...runs].map(([contestant, of]) => ({ name: contestant.name, runs: of })) };
}

async function measuredRun(contestant: Contestant, round: number): Promise<Run> {
  await contestant.before?.();
  const server = contestant.server?.();
  const processes = () => (server === undefined ? [] : processesOf(server.pid, server.tag));
  resetPeak(processes());
  const before = cpuSeconds(processes());
  const outcome = await contestant.run(round);
  const after = processes();
  const used = cpuSeconds(after) - before;
  const { largestMiB, totalMiB } = peak(after);
  await contestant.after?.();
  return server === undefined ? outcome : { ...outcome, cpuSeconds: used, peakMiB: largestMiB, peakTotalMiB: totalMiB };
}
