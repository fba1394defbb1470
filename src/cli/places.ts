import { realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { formatLocation, type Location } from '../backends/backends.js';

/** A text that differs between places. */
export async function placeOf(location: Location): Promise<string> {
  return location.scheme === 'fs' ? realPath(location.path) : formatLocation(location);
}

/** Whether one of two locations is a folder in the other, at any depth. Of gateways' stores, names don't tell where they are. */
export async function areNested(one: Location, other: Location): Promise<boolean> {
  if ([one, other].some(({ scheme }) => scheme === 'grpc' || scheme === 'grpcs')) return false;
  const [first, second] = [await placeOf(one), await placeOf(other)];
  return first.startsWith(`${second}/`) || second.startsWith(`${first}/`);
}

/** Whether a folder is that of a store, or is in it. */
export async function isInStore(folder: string, store: Location): Promise<boolean> {
  if (store.scheme !== 'fs') return false;
  return `${await realPath(folder)}${sep}`.startsWith(`${await realPath(store.path)}${sep}`);
}

/** A path without symbolic links, as far as it exists. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realPath(parent), basename(path));
  }
}
