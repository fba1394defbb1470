import { open } from 'node:fs/promises';

/** A file's text, and its permissions. */
export interface TextFile {
  readonly text: string;
  readonly mode: number;
}

/** A file's bytes, and its permissions. */
export interface BinaryFile {
  readonly bytes: Buffer;
  readonly mode: number;
}

/** Reads a file of text. Fails as `open` does. */
export async function readTextFile(path: string): Promise<TextFile> {
  const { bytes, mode } = await readBinaryFile(path);
  return { text: bytes.toString('utf8'), mode };
}

/** The same, but fails with a message for the operator that says what the file is. */
export async function readText(what: string, file: string): Promise<TextFile> {
  return readTextFile(file).catch((cause: unknown) => unreadable(what, file, cause));
}

/** The first line of a file, for a secret. Fails as `readText` does, and where it is empty. */
export async function readFirstLine(what: string, file: string): Promise<string> {
  const { text } = await readText(what, file);
  const line = text.split(/\r?\n/)[0] ?? '';
  if (line === '') throw new Error(`${what} in ${file} is empty: it has to be the first line`);
  return line;
}

/** Reads a file of any bytes. Fails with a message for the operator that says what the file is. */
export async function readBytes(what: string, file: string): Promise<BinaryFile> {
  return readBinaryFile(file).catch((cause: unknown) => unreadable(what, file, cause));
}

async function readBinaryFile(path: string): Promise<BinaryFile> {
  const file = await open(path);
  try {
    const { mode } = await file.stat();
    return { bytes: await file.readFile(), mode };
  } finally {
    await file.close();
  }
}

function unreadable(what: string, file: string, cause: unknown): never {
  throw new Error(`${what} ${file} can't be read: ${readProblem(cause)}`, { cause });
}

/** Why a file can't be read, for its operator: completes "FILE can't be read: …". */
export function readProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES') return "the gateway's user has no permission to read it";
  if (code === 'EISDIR') return 'it is a folder';
  return error instanceof Error ? error.message : String(error);
}
