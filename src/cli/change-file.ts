import { open, realpath, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces a file's content atomically and keeps its owner and permissions. During a change, other changes of the file fail. A
 * symbolic link is followed. Fails as file operations do, and leaves nothing behind.
 *
 * @param change reads the file, and resolves to its new text; undefined: no change
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

/** Opens the file for the new text, which also is the lock. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new Error(`another process is changing it: try again, or remove ${path} if there is none`, { cause: error });
  }
}

async function writeLike(model: string, file: FileHandle, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(model);
  const made = await file.stat();
  // Before the text is written, so that it is never readable by more users. This fails without the right to change the owner.
  if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
  await file.chmod(mode & 0o7777);
  await file.writeFile(text);
  await file.sync();
}
