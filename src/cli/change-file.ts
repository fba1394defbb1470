import { open, realpath, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Changes what is in a file, with the same owner and permissions: whoever reads it meanwhile gets the old or the new text, whole.
 * One change at a time: the others fail, and lose nothing. Where the path is a link, what it leads to is changed. Fails as file
 * operations do, and with nothing left behind.
 *
 * @param change reads the file, and resolves to its new text; undefined: it stays as it is
 */
export async function changeFile(path: string, change: () => Promise<string | undefined>): Promise<void> {
  const real = await realpath(path);
  const temporary = join(dirname(real), `.${basename(real)}.new`);
  const file = await openNew(temporary);
  try {
    const text = await change();
    if (text !== undefined) await writeLike(real, file, text);
    await file.close();
    await (text === undefined ? unlink(temporary) : rename(temporary, real));
  } catch (error) {
    await file.close();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** The new text's file. That there is one says that somebody is changing the old one. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new Error(`somebody is changing it right now: try again, or remove ${path} if nobody is`, { cause: error });
  }
}

async function writeLike(model: string, file: FileHandle, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(model);
  const made = await file.stat();
  // Before the text is there: who may not give files away learns it here, and nobody sees more than before.
  if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
  await file.chmod(mode & 0o7777);
  await file.writeFile(text);
  await file.sync();
}
