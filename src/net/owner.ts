import { readFile } from 'node:fs/promises';

/** The databases of names: passwd(5) and group(5). */
const databases = { user: '/etc/passwd', group: '/etc/group' };

/**
 * Resolves a user and a group, given by name or number, to their ids, of which -1 means unchanged. Names are looked up in /etc/passwd and
 * /etc/group, since Node has no function for that. Fails with a message for the operator.
 */
export async function resolveOwner(
  owner: { readonly user: string | undefined; readonly group: string | undefined },
  files: typeof databases = databases,
): Promise<{ readonly uid: number; readonly gid: number }> {
  const id = async (kind: 'user' | 'group'): Promise<number> =>
    owner[kind] === undefined ? -1 : resolveId(kind, owner[kind], files[kind]);
  return { uid: await id('user'), gid: await id('group') };
}

async function resolveId(kind: 'user' | 'group', nameOrNumber: string, file: string): Promise<number> {
  // The largest number means "none" in the system.
  if (/^\d{1,10}$/.test(nameOrNumber) && Number(nameOrNumber) < 2 ** 32 - 1) return Number(nameOrNumber);
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    // name:password:number:…
    const [name, , number] = line.split(':');
    if (name === nameOrNumber && number !== undefined && /^\d+$/.test(number)) return Number(number);
  }
  throw new Error(
    `there is no ${kind} ${nameOrNumber} in ${file}: a name in a directory service must be given by number`,
  );
}
