import { principalNameProblem } from '../config/checks/principals.js';

/** An htpasswd file: names, and bcrypt hashes of their passwords. */
export interface Htpasswd {
  readonly entries: ReadonlyMap<string, string>;
}

/** A message for the operator about a line, the first of which is 1. It never contains the line's hash. */
export interface HtpasswdProblem {
  readonly line: number;
  readonly message: string;
}

/** A bcrypt hash as `htpasswd -B` ($2y$) and other programs write it; the two digits are the cost. */
const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** bcrypt's minimum, and the highest cost that a request can wait for: each step doubles the time. */
const minCost = 4;
const maxCost = 15;

const remedy = 'create the line again with `htpasswd -B`';

/**
 * Parses an htpasswd file (https://httpd.apache.org/docs/2.4/programs/htpasswd.html). Only bcrypt is accepted, because passwords can be
 * guessed too fast from the other formats. Empty lines and those that start with `#` are skipped.
 */
export function parseHtpasswd(text: string): Htpasswd | { readonly problems: readonly HtpasswdProblem[] } {
  const entries = new Map<string, string>();
  const problems: HtpasswdProblem[] = [];
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    if (content.trim() === '' || content.startsWith('#')) continue;
    const colon = content.indexOf(':');
    const name = content.slice(0, Math.max(0, colon));
    // nginx takes a third field, a comment.
    const [hash = ''] = content
      .slice(colon + 1)
      .trimEnd()
      .split(':');
    const message = colon < 0 ? 'it has to be NAME:HASH' : (nameProblem(name, entries) ?? hashProblem(hash));
    if (message === undefined) entries.set(name, hash);
    else problems.push({ line: index + 1, message });
  }
  return problems.length > 0 ? { problems } : { entries };
}

/** The cost in a bcrypt hash; undefined if it isn't one. */
export function bcryptCost(hash: string): number | undefined {
  const digits = bcrypt.exec(hash)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function nameProblem(name: string, entries: ReadonlyMap<string, string>): string | undefined {
  if (name === '') return 'there is no name in front of the colon';
  const problem = principalNameProblem(name);
  if (problem !== undefined) return `${JSON.stringify(name)}: ${problem}`;
  if (entries.has(name)) return `${JSON.stringify(name)} occurs twice: remove one of its lines`;
  return undefined;
}

function hashProblem(hash: string): string | undefined {
  const cost = bcryptCost(hash);
  if (cost === undefined) return `${formatOf(hash)}, and only bcrypt is accepted: ${remedy}`;
  if (cost >= minCost && cost <= maxCost) return undefined;
  return `bcrypt's cost has to be between ${minCost} and ${maxCost}, not ${cost}: create the line again with \`htpasswd -B -C 10\``;
}

function formatOf(hash: string): string {
  if (hash.startsWith('{SHA}')) return 'the password is hashed with SHA-1';
  if (hash.startsWith('$apr1$')) return 'the password is hashed with MD5 (apr1)';
  if (hash.startsWith('$2')) return "the bcrypt hash isn't whole";
  return 'the password is in the clear, or hashed with crypt or something else';
}
