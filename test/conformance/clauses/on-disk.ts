import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mac, ObjectRef } from '../../../src/core/object.js';
import type { Target } from '../target.js';

/* Access to a store's folder as another program has it. */

export function folderOf({ folder }: Target): string {
  if (folder === undefined) throw new Error('this target is not in a folder');
  return folder;
}

/** The file of an object. */
export function fileOf(target: Target, { kind, mac }: ObjectRef): string {
  const bucket = kind === 'lock' ? [] : [mac.slice(0, 2)];
  return join(folderOf(target), `${kind}s`, ...bucket, mac);
}

/** Adds a packfile as another program does, beside the store that is open. */
export function addPackfile(target: Target, mac: Mac): void {
  const file = fileOf(target, { kind: 'packfile', mac });
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
}
