import { principalNameProblem } from '../config/checks/principals.js';

/** An htpasswd file: names, and bcrypt's hashes of their passwords. */
export interface Htpasswd {
  readonly entries: ReadonlyMap<string, string>;
}

/** What is wrong in a line (the first is 1), for the operator. It never quotes the line's hash. */
export interface HtpasswdProblem {
  readonly line: number;
  readonly message: string;
}

/** The bcrypt hashes that `htpasswd -B` ($2y$) and others write; the two digits are the cost. */
const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** bcrypt's own lower bound, and the highest cost that a request can wait for: every step doubles the time. */
const minCost = 4;
const maxCost = 15;

const remedy = 'make the line anew with `htpasswd -B`';

/**
 * Reads an htpasswd file (https://httpd.apache.org/docs/2.4/programs/htpasswd.html). Only bcrypt is taken: all else that such
 * files may have can be guessed too fast. Empty lines and those that start with `#` are skipped.
 */
export function parseHtpasswd(text: string): Htpasswd | { readonly problems: readonly HtpasswdProblem[] } {
  const entries = new Map<string, string>();
  const problems: HtpasswdProblem[] = [];
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    if (content.trim() === '' || content.startsWith('#')) continue;
    const colon = content.indexOf(':');
    const name = content.slice(0, Math.max(0, colon));
    const hash = content.slice(colon + 1).trimEnd();
    const message = colon < 0 ? 'it has to be NAME:HASH' : (nameProblem(name, entries) ?? hashProblem(hash));
    if (message === undefined) entries.set(name, hash);
    else problems.push({ line: index + 1, message });
  }
  return problems.length > 0 ? { problems } : { entries };
}

/** The cost in a bcrypt hash; undefined where it isn't one. */
export function bcryptCost(hash: string): number | undefined {
  const digits = bcrypt.exec(hash)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function nameProblem(name: string, entries: ReadonlyMap<string, string>): string | undefined {
  if (name === '') return 'there is no name in front of the colon';
  const problem = principalNameProblem(name);
  if (problem !== undefined) return `${JSON.stringify(name)}: ${problem}`;
  if (entries.has(name)) return `${JSON.stringify(name)} is there twice: remove one of its lines`;
  return undefined;
}

function hashProblem(hash: string): string | undefined {
  const cost = bcryptCost(hash);
  if (cost === undefined) return `${formatOf(hash)}, and only bcrypt is taken: ${remedy}`;
  if (cost >= minCost && cost <= maxCost) return undefined;
  return `bcrypt's cost has to be between ${minCost} and ${maxCost}, not ${cost}: make the line anew with \`htpasswd -B -C 10\``;
}

function formatOf(hash: string): string {
  if (hash.startsWith('{SHA}')) return 'the password is hashed with SHA-1';
  if (hash.startsWith('$apr1$')) return 'the password is hashed with MD5 (apr1)';
  if (hash.startsWith('$2')) return "the bcrypt hash isn't whole";
  return 'the password is in the clear, or hashed with crypt or something else';
}
