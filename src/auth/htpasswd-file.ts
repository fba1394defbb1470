import { readFile } from 'node:fs/promises';
import { parseHtpasswd, type Htpasswd } from './htpasswd.js';

/** Reads an htpasswd file. Fails with a message for the operator that names every line with something wrong. */
export async function readHtpasswd(path: string): Promise<Htpasswd> {
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the htpasswd file can't be read: ${reason}`, { cause: error });
  }
  const parsed = parseHtpasswd(text);
  if (!('problems' in parsed)) return parsed;
  throw new Error(parsed.problems.map(({ line, message }) => `${path}:${line}: ${message}`).join('\n'));
}
