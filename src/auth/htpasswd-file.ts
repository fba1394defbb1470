import { open } from 'node:fs/promises';
import { parseHtpasswd, type Htpasswd } from './htpasswd.js';

/**
 * Reads an htpasswd file. Fails with a message for the operator that names every line with something wrong.
 *
 * @param warn is told, in a sentence, where everybody on this machine can read it
 */
export async function readHtpasswd(path: string, warn: (warning: string) => void = () => undefined): Promise<Htpasswd> {
  const { text, mode } = await read(path);
  // Hashes of passwords can be guessed at leisure, other than those of tokens.
  if ((mode & 0o004) !== 0)
    warn(`${path} has hashes of passwords, and can be read by everybody on this machine: \`chmod o-r\` it`);
  const parsed = parseHtpasswd(text);
  if (!('problems' in parsed)) return parsed;
  throw new Error(parsed.problems.map(({ line, message }) => `${path}:${line}: ${message}`).join('\n'));
}

async function read(path: string): Promise<{ readonly text: string; readonly mode: number }> {
  try {
    const file = await open(path);
    try {
      const { mode } = await file.stat();
      return { text: await file.readFile('utf8'), mode };
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the htpasswd file can't be read: ${reason}`, { cause: error });
  }
}
