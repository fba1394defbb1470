/** The result of a command that does its work and ends. */
export interface Outcome {
  /** 0: done; 1: failed; 2: wrong usage or invalid settings. */
  readonly exitCode: 0 | 1 | 2;
  readonly stdout: string;
  readonly stderr: string;
}

/** The outcome of a command that printed what it was asked for, with messages about it on stderr. */
export function printed(stdout: string, stderr = ''): Outcome {
  return { exitCode: 0, stdout, stderr };
}

/** The outcome of a command that can't be done: a line for each problem. */
export function refused(problems: readonly string[], exitCode: 1 | 2 = 2): Outcome {
  return { exitCode, stdout: '', stderr: problems.map((problem) => `kloset-gateway: ${problem}\n`).join('') };
}

/** The outcome of wrong usage: a line for each problem, and how to get help, about a command if it is known. */
export function wrongUsage(problems: readonly string[], command?: string): Outcome {
  const outcome = refused(problems);
  const about = command === undefined ? '' : `${command} `;
  return { ...outcome, stderr: `${outcome.stderr}Try kloset-gateway ${about}--help.\n` };
}
