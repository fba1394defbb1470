/** The result of a command that does its work and ends. */
export interface Outcome {
  /** 0: done; 1: failed; 2: wrong usage or invalid settings; 130: interrupted, as shells have it. */
  readonly exitCode: 0 | 1 | 2 | 130;
  readonly stdout: string;
  readonly stderr: string;
}

/** The outcome of a command that printed what it was asked for, with messages about it on stderr. */
export function printed(stdout: string, stderr = ''): Outcome {
  return { exitCode: 0, stdout, stderr };
}

/** What each problem on stderr starts with. */
export const problemStart = 'kloset-gateway: ';

/** The outcome of a command that can't be done: a line for each problem. */
export function refused(problems: readonly string[], exitCode: 1 | 2 = 2): Outcome {
  return { exitCode, stdout: '', stderr: problems.map((problem) => `${problemStart}${problem}\n`).join('') };
}

/** The outcome of a command that was interrupted, with a line for each further message. */
export function interrupted(messages: readonly string[]): Outcome {
  return { ...refused(['interrupted', ...messages]), exitCode: 130 };
}

/** The outcome of wrong usage: a line for each problem, and how to get help, about a command if it is known. */
export function wrongUsage(problems: readonly string[], command?: string): Outcome {
  const outcome = refused(problems);
  const about = command === undefined ? '' : `${command} `;
  return { ...outcome, stderr: `${outcome.stderr}Try kloset-gateway ${about}--help.\n` };
}

/** What a command says on stderr that was not told to change anything. */
export const notDone = 'Nothing was changed: add --apply to do it.\n';
