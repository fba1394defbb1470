import type { ObjectKind, ObjectRef } from '../../core/object.js';
import { configPath, digestsFolder, kindFolder, objectPath, segmentPath } from '../files/layout.js';

/*
 * The keys of a store's objects: their paths in a folder (`../files/layout.ts`), below the location's prefix. plakar's own connector has the
 * same (PlakarKorp/integrations, s3/v1.1.5), and ends those of copies for Glacier with `.frozen`, which are no objects of the store.
 */

/** The keys of a store. */
export class Keys {
  /** What all of them start with: empty, or with a slash at its end. */
  readonly root: string;

  /** @param prefix the location's */
  constructor(prefix: string) {
    this.root = prefix === '' ? '' : `${prefix}/`;
  }

  get config(): string {
    return `${this.root}${configPath}`;
  }

  object(ref: ObjectRef): string {
    return `${this.root}${objectPath(ref)}`;
  }

  /** What the keys of all segments of digests start with. */
  get digests(): string {
    return `${this.root}${digestsFolder}/`;
  }

  /** A part of a segment of digests. @param number what follows those of all parts: digits */
  segmentPart(name: string, number: string): string {
    return `${this.root}${segmentPath(name)}/${number}`;
  }

  /** What the keys of a kind start with. */
  kind(kind: ObjectKind): string {
    return `${this.root}${kindFolder(kind)}/`;
  }
}
