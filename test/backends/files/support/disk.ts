import { posix } from 'node:path';

/** Something that changes names, or makes them durable. */
export type Change =
  | { readonly name: 'rename' | 'link'; readonly from: string; readonly to: string }
  | { readonly name: 'remove' | 'makeFolder' | 'sync'; readonly path: string };

/**
 * The names on a disk of the worst kind: what changed in a folder since that was last synced is there after a power cut or isn't, each
 * folder's independently. Only a rename isn't half gone by itself, as no file system in use does that: but where one of its two folders
 * was synced, it is done in that one, and maybe not in the other.
 */
export class Disk {
  private readonly renames: { readonly from: string; readonly to: string }[] = [];
  private readonly folders = new Map<string, { synced: Set<string>; now: Set<string> }>();

  /** @param paths everything that is on it durably */
  constructor(paths: readonly string[]) {
    for (const path of paths) this.in(path).synced.add(path);
    for (const folder of this.folders.values()) folder.now = new Set(folder.synced);
  }

  make(change: Change): void {
    if ('from' in change) {
      this.in(change.to).now.add(change.to);
      if (change.name === 'link') return;
      this.in(change.from).now.delete(change.from);
      this.renames.push(change);
    } else if (change.name === 'makeFolder') {
      this.in(change.path).now.add(change.path);
    } else if (change.name === 'remove') {
      this.in(change.path).now.delete(change.path);
    } else {
      const folder = this.at(change.path);
      folder.synced = new Set(folder.now);
    }
  }

  /** The paths that can be there after a power cut: each way in which it can end. */
  *afterPowerCut(): Generator<string[]> {
    const folders = [...this.folders.values()];
    const changed = folders.filter(({ synced, now }) => !isEqual(synced, now));
    for (let choice = 0; choice < 2 ** changed.length; choice++) {
      const names = new Set(
        folders.flatMap((folder) => {
          const index = changed.indexOf(folder);
          return [...(index >= 0 && (choice >> index) % 2 === 1 ? folder.now : folder.synced)];
        }),
      );
      if (!this.isHalfGone(names)) yield [...names].filter((path) => isReachable(path, names));
    }
  }

  private isHalfGone(names: ReadonlySet<string>): boolean {
    return this.renames.some(({ from, to }) => !names.has(from) && !names.has(to) && this.in(from).synced.has(from));
  }

  private in(path: string): { synced: Set<string>; now: Set<string> } {
    return this.at(posix.dirname(path));
  }

  private at(path: string): { synced: Set<string>; now: Set<string> } {
    let folder = this.folders.get(path);
    if (folder === undefined) {
      folder = { synced: new Set(), now: new Set() };
      this.folders.set(path, folder);
    }
    return folder;
  }
}

function isReachable(path: string, names: ReadonlySet<string>): boolean {
  const folder = posix.dirname(path);
  return folder === '.' || (names.has(folder) && isReachable(folder, names));
}

function isEqual(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}
