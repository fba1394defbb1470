import { readText } from '../lib/read-text.js';
import { parseHtpasswd, type Htpasswd } from './htpasswd.js';

/**
 * Reads an htpasswd file. Fails with a message for the operator that lists every invalid line.
 *
 * @param warn is called with a warning if every user of this machine can read the file
 */
export async function readHtpasswd(path: string, warn: (warning: string) => void = () => undefined): Promise<Htpasswd> {
  const { text, mode } = await readText('the htpasswd file', path);
  // Passwords, unlike tokens, can be guessed from their hashes.
  if ((mode & 0o004) !== 0)
    warn(`${path} has password hashes, and every user of this machine can read it: \`chmod o-r\` it`);
  const parsed = parseHtpasswd(text);
  if (!('problems' in parsed)) return parsed;
  throw new Error(parsed.problems.map(({ line, message }) => `${path}:${line}: ${message}`).join('\n'));
}
