import { jsonText } from './object-text.js';
import { problemStart, type Outcome } from './outcome.js';

/** The same outcome, for programs: with a document that has the problems where the command failed before it had one. */
export function withFailureDocument(outcome: Outcome): Outcome {
  const { exitCode, stdout, stderr } = outcome;
  if (exitCode === 0 || stdout !== '') return outcome;
  const problems = stderr.split('\n').filter((line) => line.startsWith(problemStart));
  const error = problems.map((line) => line.slice(problemStart.length)).join('; ');
  return { ...outcome, stdout: jsonText({ error }) };
}
