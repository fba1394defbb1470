/** What came of a command that does its work and ends. */
export interface Outcome {
  /** 0: done; 1: it couldn't be done; 2: something is wrong with what was asked, or with the settings. */
  readonly exitCode: 0 | 1 | 2;
  readonly stdout: string;
  readonly stderr: string;
}

/** The outcome of what can't be done as it was asked: every problem, a line each. */
export function refused(problems: readonly string[], exitCode: 1 | 2 = 2): Outcome {
  return { exitCode, stdout: '', stderr: problems.map((problem) => `kloset-gateway: ${problem}\n`).join('') };
}
