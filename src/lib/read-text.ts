import { open } from 'node:fs/promises';

/** A file's text, and its permissions. */
export interface TextFile {
  readonly text: string;
  readonly mode: number;
}

/** Reads a file of text. Fails as `open` does. */
export async function readTextFile(path: string): Promise<TextFile> {
  const file = await open(path);
  try {
    const { mode } = await file.stat();
    return { text: await file.readFile('utf8'), mode };
  } finally {
    await file.close();
  }
}

/** The same, but fails with a message for the operator that says what the file is. */
export async function readText(what: string, file: string): Promise<TextFile> {
  try {
    return await readTextFile(file);
  } catch (cause) {
    throw new Error(`${what} ${file} can't be read: ${readProblem(cause)}`, { cause });
  }
}

/** Why a file can't be read, for its operator: completes "FILE can't be read: …". */
export function readProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES') return "the gateway's user has no permission to read it";
  if (code === 'EISDIR') return 'it is a folder';
  return error instanceof Error ? error.message : String(error);
}
