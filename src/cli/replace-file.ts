import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces what is in a file, with the same owner and permissions: whoever reads it meanwhile gets the old or the new text, whole.
 * Where the path is a link, what it leads to is replaced. Fails as file operations do, and with nothing left behind.
 *
 * @param suffix makes the temporary file's name one that nothing else has
 */
export async function replaceFile(path: string, text: string, suffix: string): Promise<void> {
  const real = await realpath(path);
  const { mode, uid, gid } = await stat(real);
  const temporary = join(dirname(real), `.${basename(real)}.${suffix}`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    try {
      const made = await file.stat();
      // Before the text is there: who may not give files away learns it here, and nobody sees more than before.
      if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
      await file.chmod(mode & 0o7777);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, real);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}
